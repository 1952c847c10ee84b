//! A large input shared between hubs: whatever is cut where, whoever does which part, and whoever is killed at it, the bytes, rejects and
//! totals are those of one hub, and are delivered once.

mod hubs;
mod same;

use bailiwick::ledger::{FoundEffect, Ledger, Partition, Processed, Run, RunState, Scope};
use bailiwick::model::ids::RunId;
use bailiwick::model::personal::Sight;
use bailiwick::run::{Hub, Look};

use crate::support::*;

const NOVEMBER: &str = "2026-11-18T09:00:00Z";
const APPORTIONMENT: &str = "shared-services-apportionment";
const JOB: &str = "jobs/shared-services-apportionment.toml";

const DRIVERS: &str = "\
driver,basis,partner,quantity,partners,effective_from,effective_to
thirds,headcount,police,1,3,2021-04-01,
thirds,headcount,fire,1,3,2021-04-01,
thirds,headcount,pfcc,1,3,2021-04-01,
police-only,fixed-share,police,100,1,2021-04-01,
broken,headcount,police,-1,1,2021-04-01,
";

/// The example's apportionment of some pools, with many rejects allowed, and its input cut as a line of its job says.
pub(crate) fn site(pools: &[u8], cut: &str) -> Site {
    let site = Site::staffordshire();
    for file in site.names("data/apportionment").iter().filter(|name| name.ends_with(".csv")) {
        std::fs::remove_file(site.path(&format!("data/apportionment/{file}"))).unwrap();
    }
    site.write("data/apportionment/drivers-1.csv", DRIVERS);
    site.write("data/apportionment/pools-1.csv", pools);
    site.edit(JOB, "rows-max = 0", &format!("rows-max = 100000\n\n[partitions]\n{cut}"));
    site
}

/// Pools that can all be split, three lines of output each and more.
pub(crate) fn pools(count: usize) -> String {
    let mut text = "pool,service,driver,on,provider,account,amount\n".to_owned();
    for pool in 0..count {
        let (service, pence) = (["estates", "fleet", "payroll"][pool % 3], pool % 100);
        text += &format!("P{pool:07},{service},thirds,2021-06-30,police,1000,{}.{pence:02}\n", pool * 7 % 10_000);
    }
    text
}

/// All that can be seen of a run but who did it.
#[derive(Debug, PartialEq)]
struct Came {
    delivered: Vec<(String, Vec<u8>)>,
    outputs: Vec<(String, String, u64)>,
    totals: bailiwick::model::totals::ControlTotals,
    counts: (u64, u64),
    /// Each as it is told, with its record as it stood in the file and by columns.
    findings: Vec<(String, Option<Vec<u8>>, Option<serde_json::Value>)>,
    log: Vec<String>,
}

async fn came(site: &Site, hub: &Hub, run: &Run) -> Came {
    let (ledger, by) = (hub.ledger(), operator(hub));
    let view = hub.view(run.id, Look { scope: Scope::Hub, sight: Sight::Full, by: &by }).await.unwrap();
    assert_eq!(run.state, RunState::Closed, "{:?}", run.reason);
    let processed: Processed = ledger.processed(Scope::Hub, run.id).await.unwrap().unwrap();
    assert!(processed.totals.inputs.iter().all(|input| input.rows.conserved()), "{:?}", processed.totals);
    assert!(processed.balances.iter().all(bailiwick::model::totals::BalanceResult::holds), "{:?}", processed.balances);
    let mut findings = Vec::new();
    for effect in [FoundEffect::Reject, FoundEffect::Warn] {
        let mut after = None;
        loop {
            let page = ledger.findings((Scope::Hub, run.id), effect, after, 500).await.unwrap();
            findings.extend(page.items.iter().map(|stored| {
                let (raw, row) = (view.raw(stored).unwrap(), view.row(stored).unwrap());
                (format!("{:?}", stored.found), raw, row)
            }));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    let log = ledger.log_lines((Scope::Hub, run.id), None, 500).await.unwrap();
    Came {
        delivered: site.delivered(),
        outputs: processed.outputs.iter().map(|output| (output.port.clone(), output.artefact.to_string(), output.rows)).collect(),
        counts: (processed.rejects, processed.warnings),
        totals: processed.totals,
        findings,
        log: log.items.into_iter().map(|(_, line)| line.message).collect(),
    }
}

/// Runs the job on one hub, alone.
async fn alone(site: &Site) -> (Hub, Run, Came, Vec<Partition>) {
    let hub = site.hub(&clock_at(NOVEMBER)).await;
    let run = finished(&hub, FIRE, APPORTIONMENT).await;
    let came = came(site, &hub, &run).await;
    let partitions = partitions(hub.ledger(), run.id).await;
    (hub, run, came, partitions)
}

async fn partitions(ledger: &Ledger, run: RunId) -> Vec<Partition> {
    ledger.partitions(Scope::Hub, run).await.unwrap()
}
