//! Grants, and what is asked of releases, as they are stored: JSON that every later version must read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ledger::error::{LedgerError, corrupt};
use crate::model::grant::Grant;
use crate::model::job::{Proof, Proofs};
use crate::model::limits::Limits;

#[derive(Serialize, Deserialize)]
struct GrantWire {
    without: Vec<String>,
    limits: BTreeMap<String, u64>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ProofWire {
    clean_runs: u32,
    explained: bool,
}

#[derive(Serialize, Deserialize)]
struct ProofsWire {
    all: ProofWire,
    of: BTreeMap<String, ProofWire>,
}

pub(super) fn grant_text(grant: &Grant) -> String {
    let wire = GrantWire {
        without: grant.without.iter().map(ToString::to_string).collect(),
        limits: grant.limits.iter().map(|(limit, most)| (limit.name().to_owned(), *most)).collect(),
    };
    serde_json::to_string(&wire).expect("a grant has only text keys")
}

pub(super) fn grant_of(text: &str) -> Result<Grant, LedgerError> {
    let unread = |why: &dyn ToString| corrupt("a grant", &why.to_string());
    let wire: GrantWire = serde_json::from_str(text).map_err(|why| unread(&why))?;
    let without = wire.without.iter().map(|lent| lent.parse()).collect::<Result<_, String>>().map_err(|why| unread(&why))?;
    let limit = |(name, most): (String, u64)| Ok((Limits::named(&name).ok_or_else(|| unread(&name))?, most));
    Ok(Grant { without, limits: wire.limits.into_iter().map(limit).collect::<Result<_, LedgerError>>()? })
}

/// None where nothing is asked.
pub(in crate::ledger::declared) fn proofs_text(proofs: &Proofs) -> Option<String> {
    if *proofs == Proofs::default() {
        return None;
    }
    let wire = |proof: Proof| ProofWire { clean_runs: proof.clean_runs, explained: proof.explained };
    let of = proofs.of.iter().map(|(plugin, proof)| (plugin.to_string(), wire(*proof))).collect();
    Some(serde_json::to_string(&ProofsWire { all: wire(proofs.all), of }).expect("names are text"))
}

pub(in crate::ledger::declared) fn proofs_of(text: Option<&str>) -> Result<Proofs, LedgerError> {
    let Some(text) = text else { return Ok(Proofs::default()) };
    let unread = |why: &dyn ToString| corrupt("what is asked of releases", &why.to_string());
    let wire: ProofsWire = serde_json::from_str(text).map_err(|why| unread(&why))?;
    let proof = |wire: ProofWire| Proof { clean_runs: wire.clean_runs, explained: wire.explained };
    let named = |(name, wire): (String, ProofWire)| Ok((name.parse().map_err(|why| unread(&why))?, proof(wire)));
    Ok(Proofs { all: proof(wire.all), of: wire.of.into_iter().map(named).collect::<Result<_, LedgerError>>()? })
}
