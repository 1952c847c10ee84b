//! `claim-routing` as a plugin for Extism: a case as JSON in, the decision as JSON out, in the form that Bailiwick's API has.
#![cfg(target_arch = "wasm32")]

use std::cell::OnceCell;
use std::rc::Rc;

use bailiwick_sdk::tables::{self, Version};
use bailiwick_sdk::{Date, Hub, RuleSet as _, Tables, answer};
use claim_routing::{Claim, ClaimRouting};
use extism_pdk::{Error, FnResult, plugin_fn};

thread_local! {
    static OWN: OnceCell<Rc<[Version]>> = const { OnceCell::new() };
}

/// What a snapshot is taken after: the tables are read, and the memory has grown to what a decision takes.
#[unsafe(no_mangle)]
pub extern "C" fn initialize() {
    own_tables();
    drop(std::hint::black_box(Vec::<u8>::with_capacity(128 << 10)));
}

/// Decides with the tables that the host lends.
#[plugin_fn]
pub fn decide(case: String) -> FnResult<String> {
    Ok(decided(&case, Tables::Lent)?)
}

/// Decides with the tables in the plugin.
#[plugin_fn]
pub fn decide_with_own_tables(case: String) -> FnResult<String> {
    Ok(decided(&case, Tables::Own(own_tables()))?)
}

fn own_tables() -> Rc<[Version]> {
    OWN.with(|own| Rc::clone(own.get_or_init(|| tables::all().into())))
}

fn decided(case: &str, tables: Tables) -> Result<String, Error> {
    let claim: Claim = serde_json::from_str(case)?;
    let hub = Hub::new(Date::new(2026, 11, 2), tables);
    let decision = ClaimRouting::decide(&claim, &(), &hub).map_err(|failure| Error::msg(failure.to_string()))?;
    Ok(answer::json(&decision, hub.take_opened())?)
}
