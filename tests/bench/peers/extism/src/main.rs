//! The same rule on Extism: the case as JSON in, the decision as JSON out, on one thread.
//!
//! `extism-peer initialise PLUGIN TO` writes the plugin as it is after its start, as the hub's own guests begin.
//! `extism-peer decide PLUGIN CASE-FILE ROUND-MS SETTINGS TABLES LIFE` prints nanoseconds a decision, and the decision.
//! SETTINGS are `defaults` or `best`, TABLES are `lent` by the host or the plugin's `own`, LIFE is `fresh` or `warm`:
//! a plugin for each decision, made from one that was compiled once, or one plugin for all.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bailiwick_sdk::tables::{self, Find, Open, Opened, Version};
use extism::convert::Json;
use extism::{CompiledPlugin, Plugin, PluginBuilder, UserData, ValType, host_fn};
use serde_json::{Value, json};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, Linker, PoolingAllocationConfig, Store};
use wasmtime_wizer::Wizer;

type Tables = Arc<[Version]>;

host_fn!(table_open(tables: Tables; question: Json<Open>) -> Json<Option<Opened>> {
    let versions = lent(&tables)?;
    let Json(Open { table, on }) = question;
    let opened = |number: usize| Opened { number, which: versions[number].which.clone(), columns: versions[number].columns.clone() };
    Ok(Json(tables::in_force(&versions, &table, on).map(opened)))
});

host_fn!(table_find(tables: Tables; question: Json<Find>) -> Json<Vec<Vec<String>>> {
    let versions = lent(&tables)?;
    let Json(Find { number, holds }) = question;
    Ok(Json(versions[number].find(holds.as_ref().map(|(column, value)| (column.as_str(), value.as_str())))))
});

fn lent(tables: &UserData<Tables>) -> Result<Tables> {
    Ok(Arc::clone(&tables.get()?.lock().expect("nobody panics while holding the tables")))
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = match arguments[..] {
        ["initialise", plugin, to] => initialise(Path::new(plugin), Path::new(to))?,
        ["decide", plugin, case, round_ms, settings, tables, life] => {
            let compiled = compile(Path::new(plugin), settings)?;
            let case = std::fs::read_to_string(case)?;
            let function = if tables == "own" { "decide_with_own_tables" } else { "decide" };
            let round = Duration::from_millis(round_ms.parse()?);
            if life == "fresh" { fresh(&compiled, function, &case, round)? } else { warm(&compiled, function, &case, round)? }
        }
        _ => bail!("extism-peer initialise PLUGIN TO, or extism-peer decide PLUGIN CASE-FILE ROUND-MS SETTINGS TABLES LIFE"),
    };
    println!("{answer}");
    Ok(())
}

/// Compiled once, as whoever uses Extism for many calls does.
fn compile(plugin: &Path, settings: &str) -> Result<CompiledPlugin> {
    let plugin = std::fs::read(plugin).with_context(|| plugin.display().to_string())?;
    let tables = UserData::new(Tables::from(tables::all()));
    let mut builder = PluginBuilder::new(plugin)
        .with_cache_disabled()
        .with_function("table_open", [ValType::I64], [ValType::I64], tables.clone(), table_open)
        .with_function("table_find", [ValType::I64], [ValType::I64], tables, table_find);
    if settings == "best" {
        builder = builder.with_wasmtime_config(best());
    }
    builder.compile()
}

/// What the hub itself sets, as far as Extism lets it be set: interruption and garbage collection stay on.
fn best() -> Config {
    let slots = 100;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(4 * slots)
        .total_memories(4 * slots)
        .total_tables(4 * slots)
        .linear_memory_keep_resident(128 << 10)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto)
        .max_unused_warm_slots(slots);
    let mut config = Config::new();
    config.memory_init_cow(true).allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

fn fresh(compiled: &CompiledPlugin, function: &str, case: &str, round: Duration) -> Result<Value> {
    measure(round, || Plugin::new_from_compiled(compiled)?.call(function, case))
}

fn warm(compiled: &CompiledPlugin, function: &str, case: &str, round: Duration) -> Result<Value> {
    let mut plugin = Plugin::new_from_compiled(compiled)?;
    measure(round, || plugin.call(function, case))
}

fn measure(round: Duration, mut decide: impl FnMut() -> Result<String>) -> Result<Value> {
    let decision: Value = serde_json::from_str(&decide()?)?;
    for _ in 0..500 {
        decide()?;
    }
    let (began, began_cpu, mut decided) = (Instant::now(), thread_cpu(), 0_u64);
    while began.elapsed() < round {
        for _ in 0..50 {
            std::hint::black_box(decide()?);
        }
        decided += 50;
    }
    let each = |time: Duration| time.as_nanos() as f64 / decided as f64;
    Ok(json!({ "cpu_ns": each(thread_cpu() - began_cpu), "wall_ns": each(began.elapsed()), "decision": decision }))
}

fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("time on the CPU is not negative")
}

fn initialise(plugin: &Path, to: &Path) -> Result<Value> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut wizer = Wizer::new();
    wizer.init_func("initialize").keep_init_func(true);
    let plugin = std::fs::read(plugin).with_context(|| plugin.display().to_string())?;
    let started = wizer.run(&mut store, &plugin, async |store, module| {
        let mut linker = Linker::new(store.engine());
        linker.define_unknown_imports_as_traps(module)?;
        linker.instantiate_async(store, module).await
    });
    let Poll::Ready(started) = pin!(started).poll(&mut Context::from_waker(Waker::noop())) else { bail!("the plugin's start waits") };
    let started = started.map_err(|error| anyhow::anyhow!("{error:#}"))?;
    std::fs::write(to, &started)?;
    Ok(json!({ "bytes": started.len() }))
}
