//! The floor under the hub's decisions: the same component on bare wasmtime in its best configuration.
//!
//! `bare COMPONENT TABLES-FOLDER CASE-FILE ROUND-MS [THREADS]` decides the case again and again in a fresh store and instance,
//! and prints nanoseconds a decision. No limit is set and nothing is recorded; tables are answered from a map.
//! The component must be initialised already, as the hub's own is: `measure initialise COMPONENT TO` does it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use wasmtime::component::{Component, HasSelf, Linker, Resource, ResourceTable};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

wasmtime::component::bindgen!({
    path: "../../../../wit/0.1.0",
    world: "rule-set",
    with: { "bailiwick:plugin/lookup.table": TableRows },
    imports: { default: trappable },
});

use bailiwick::plugin::{clock, log, lookup, random, settings, state, types};

const TODAY: i32 = 20_759; // 2 November 2026

/// One version of a table, as rows.
#[derive(Clone)]
pub struct TableRows(Arc<Loaded>);

struct Loaded {
    name: String,
    version: String,
    from: i32,
    to: Option<i32>,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    by_value: Vec<HashMap<String, Vec<usize>>>,
}

struct Host {
    table: ResourceTable,
    tables: Arc<HashMap<String, Vec<TableRows>>>,
    settings: Arc<str>,
}

impl types::Host for Host {}

impl log::Host for Host {
    fn write(&mut self, _: log::Level, _: String) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl settings::Host for Host {
    fn get(&mut self) -> wasmtime::Result<String> {
        Ok(self.settings.to_string())
    }
}

impl clock::Host for Host {
    fn now(&mut self) -> wasmtime::Result<clock::Instant> {
        Ok(clock::Instant { seconds: i64::from(TODAY) * 86_400, nanoseconds: 0 })
    }

    fn today(&mut self) -> wasmtime::Result<i32> {
        Ok(TODAY)
    }
}

impl random::Host for Host {
    fn bytes(&mut self, count: u32) -> wasmtime::Result<Vec<u8>> {
        Ok(vec![0; count as usize])
    }

    fn next(&mut self) -> wasmtime::Result<u64> {
        Ok(0)
    }
}

impl state::Host for Host {
    fn get(&mut self, _: String) -> wasmtime::Result<Result<Option<Vec<u8>>, state::StateError>> {
        Ok(Ok(None))
    }

    fn set(&mut self, _: String, _: Vec<u8>) -> wasmtime::Result<Result<(), state::StateError>> {
        Ok(Ok(()))
    }

    fn delete(&mut self, _: String) -> wasmtime::Result<Result<(), state::StateError>> {
        Ok(Ok(()))
    }
}

impl lookup::Host for Host {
    fn open(&mut self, name: String, on: i32) -> wasmtime::Result<Result<Resource<TableRows>, lookup::LookupError>> {
        let Some(versions) = self.tables.get(&name) else { return Ok(Err(lookup::LookupError::NotGranted)) };
        match versions.iter().find(|table| table.0.from <= on && table.0.to.is_none_or(|to| on <= to)) {
            Some(table) => Ok(Ok(self.table.push(table.clone())?)),
            None => Ok(Err(lookup::LookupError::NoVersionInForce)),
        }
    }
}

impl lookup::HostTable for Host {
    fn version(&mut self, table: Resource<TableRows>) -> wasmtime::Result<types::TableVersion> {
        let table = &self.table.get(&table)?.0;
        Ok(types::TableVersion {
            table: table.name.clone(),
            version: table.version.clone(),
            effective_from: table.from,
            effective_to: table.to,
            published: None,
        })
    }

    fn columns(&mut self, table: Resource<TableRows>) -> wasmtime::Result<Vec<String>> {
        Ok(self.table.get(&table)?.0.columns.clone())
    }

    fn size(&mut self, table: Resource<TableRows>) -> wasmtime::Result<u32> {
        Ok(self.table.get(&table)?.0.rows.len() as u32)
    }

    fn read(&mut self, table: Resource<TableRows>, start: u32, count: u32) -> wasmtime::Result<Vec<Vec<String>>> {
        Ok(self.table.get(&table)?.0.rows.iter().skip(start as usize).take(count as usize).cloned().collect())
    }

    fn find(
        &mut self,
        table: Resource<TableRows>,
        column: String,
        value: String,
    ) -> wasmtime::Result<Result<Vec<Vec<String>>, lookup::LookupError>> {
        let table = &self.table.get(&table)?.0;
        let Some(place) = table.columns.iter().position(|name| *name == column) else {
            return Ok(Err(lookup::LookupError::NoSuchColumn(column)));
        };
        let rows = table.by_value[place].get(&value).map_or(&[][..], Vec::as_slice);
        Ok(Ok(rows.iter().map(|row| table.rows[*row].clone()).collect()))
    }

    fn find_word(
        &mut self,
        table: Resource<TableRows>,
        column: String,
        word: String,
    ) -> wasmtime::Result<Result<Vec<Vec<String>>, lookup::LookupError>> {
        self.find(table, column, word)
    }

    fn drop(&mut self, table: Resource<TableRows>) -> wasmtime::Result<()> {
        self.table.delete(table)?;
        Ok(())
    }
}

fn engine() -> wasmtime::Result<Engine> {
    let slots = 100;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_core_instances(4 * slots)
        .total_memories(slots)
        .total_tables(4 * slots)
        .linear_memory_keep_resident(128 << 10)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto)
        .max_unused_warm_slots(slots);
    let mut config = Config::new();
    config.memory_init_cow(true).concurrency_support(false).allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

fn days(date: &toml::value::Datetime) -> Result<i32> {
    let date = date.date.context("a version's dates are dates")?;
    // Howard Hinnant's algorithm.
    let (y, m, d) = (i32::from(date.year) - i32::from(date.month <= 2), i32::from(date.month), i32::from(date.day));
    let era = y.div_euclid(400);
    let year = y.rem_euclid(400);
    let day = (153 * (m + if m > 2 { -3 } else { 9 }) + 2) / 5 + d - 1;
    Ok(era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468)
}

fn tables(folder: &Path) -> Result<HashMap<String, Vec<TableRows>>> {
    let mut tables: HashMap<String, Vec<TableRows>> = HashMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        let text: toml::Table = std::fs::read_to_string(&path)?.parse()?;
        let name = text["table"].as_str().context("a table has a name")?.to_owned();
        for version in text["versions"].as_array().context("a table has versions")? {
            let date = |key: &str| version.get(key).and_then(toml::Value::as_datetime).map(days).transpose();
            let mut file = csv::Reader::from_path(folder.join(version["rows"].as_str().context("a version has rows")?))?;
            let columns: Vec<String> = file.headers()?.iter().map(str::to_owned).collect();
            let rows: Vec<Vec<String>> = file.records().map(|row| Ok(row?.iter().map(str::to_owned).collect())).collect::<Result<_>>()?;
            let mut by_value = vec![HashMap::new(); columns.len()];
            for (place, row) in rows.iter().enumerate() {
                for (column, value) in row.iter().enumerate() {
                    by_value[column].entry(value.clone()).or_insert_with(Vec::new).push(place);
                }
            }
            let version = version["version"].as_str().context("a version has a name")?.to_owned();
            let from = date("effective-from")?.context("a version begins")?;
            let loaded = Loaded { name: name.clone(), version, from, to: date("effective-to")?, columns, rows, by_value };
            tables.entry(name.clone()).or_default().push(TableRows(Arc::new(loaded)));
        }
    }
    Ok(tables)
}

/// Time of one decision: on this thread's CPU, and on the wall.
struct Cost {
    cpu_ns: f64,
    wall_ns: f64,
}

fn measure(
    component: &[u8],
    tables: &Arc<HashMap<String, Vec<TableRows>>>,
    case: &str,
    (round, together): (Duration, &Barrier),
) -> wasmtime::Result<Cost> {
    let engine = engine()?;
    let component = Component::new(&engine, component)?;
    let mut linker = Linker::new(&engine);
    RuleSet::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut Host| host)?;
    let rule_set = RuleSetPre::new(linker.instantiate_pre(&component)?)?;
    let settings: Arc<str> = "{}".into();
    let decide = || -> wasmtime::Result<()> {
        let host = Host { table: ResourceTable::new(), tables: tables.clone(), settings: settings.clone() };
        let mut store = Store::new(&engine, host);
        let instance = rule_set.instantiate(&mut store)?;
        let decision = instance.bailiwick_plugin_decisions().call_decide(&mut store, case)?;
        std::hint::black_box(decision.map_err(|failure| wasmtime::Error::msg(format!("{failure:?}")))?);
        Ok(())
    };
    for _ in 0..1_000 {
        decide()?;
    }
    together.wait();
    let (began, began_cpu, mut decided) = (Instant::now(), thread_cpu(), 0_u64);
    while began.elapsed() < round {
        for _ in 0..100 {
            decide()?;
        }
        decided += 100;
    }
    let each = |time: Duration| time.as_nanos() as f64 / decided as f64;
    Ok(Cost { cpu_ns: each(thread_cpu() - began_cpu), wall_ns: each(began.elapsed()) })
}

fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("time on the CPU is not negative")
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, component, folder, case, round_ms, rest @ ..] = &arguments[..] else {
        anyhow::bail!("bare COMPONENT TABLES-FOLDER CASE-FILE ROUND-MS [THREADS]")
    };
    let component = std::fs::read(component)?;
    let tables = Arc::new(tables(Path::new(folder))?);
    let case = std::fs::read_to_string(case)?;
    let round = Duration::from_millis(round_ms.parse()?);
    let threads: usize = rest.first().map_or(Ok(1), |threads| threads.parse())?;
    let together = Barrier::new(threads);
    let each: wasmtime::Result<Vec<Cost>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| measure(&component, &tables, &case, (round, &together)))).collect();
        running.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
    });
    let each = each.map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let cpu_ns = each.iter().map(|cost| cost.cpu_ns).sum::<f64>() / threads as f64;
    let per_second: f64 = each.iter().map(|cost| 1e9 / cost.wall_ns).sum();
    println!("{}", serde_json::json!({ "cpu_ns": cpu_ns, "per_second": per_second, "threads": threads }));
    Ok(())
}
