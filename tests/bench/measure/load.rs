//! Many releases taken up from the cache, as after a start: each verified, by as many threads as the machine has cores, as those who ask
//! for different releases are served at the same time; then mapped and linked on one thread, as each that decides does for itself.

use std::thread;

use anyhow::{Result, ensure};
use bailiwick::model::ids::Digest;
use bailiwick::sandbox::Release;
use serde_json::{Value, json};

use super::clock::{Stopwatch, process_cpu};
use super::stage;

/// Makes some releases of one component that differ in a section without meaning, sees that all are in the cache, and then times
/// a new sandbox taking up every one of them.
pub(crate) fn run(component: &str, count: usize) -> Result<Value> {
    let component = std::fs::read(component)?;
    let (manifest, _) = stage::unpack(&component)?;
    let releases: Vec<Vec<u8>> = (0..count).map(|number| marked(&component, number)).collect();
    let filling = stage::sandbox(1)?;
    for (number, release) in releases.iter().enumerate() {
        filling.install(release, &manifest)?;
        if number % 100 == 99 {
            eprintln!("{} of {count} releases are in the cache", number + 1);
        }
    }
    drop(filling);
    let (watch, cpu) = (Stopwatch::start(), process_cpu());
    let sandbox = stage::sandbox(1)?;
    let threads = thread::available_parallelism()?.get();
    let installed = thread::scope(|scope| {
        let taking =
            |releases: &'_ [Vec<u8>]| releases.iter().map(|release| sandbox.install(release, &manifest)).collect::<Result<Vec<_>, _>>();
        let shares: Vec<_> = releases.chunks(count.div_ceil(threads).max(1)).map(|share| scope.spawn(move || taking(share))).collect();
        shares.into_iter().map(|share| share.join().expect("taking up does not panic")).collect::<Result<Vec<Vec<Release>>, _>>()
    })?;
    let installed: Vec<Release> = installed.into_iter().flatten().collect();
    let verified = watch.wall();
    ensure!(installed.iter().all(|release| release.initialised), "instances would not begin from a snapshot");
    let last = installed.last().map_or_else(|| Digest::of(&[]), |release| release.digest);
    stage::wait(sandbox.on_decision_thread(move |worker| installed.iter().try_for_each(|release| worker.prepare(release))))???;
    let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    let aot_bytes = std::fs::read_dir(stage::cache())?
        .filter_map(|entry| entry.ok())
        .find(|entry| {
            entry.file_name().to_string_lossy().starts_with(&format!("{last}-")) && entry.path().extension().is_some_and(|end| end == "aot")
        })
        .map_or(0, |entry| entry.metadata().map_or(0, |found| found.len()));
    Ok(json!({
        "ms": ms(watch.wall()), "verified_ms": ms(verified), "cpu_ms": ms(process_cpu() - cpu), "releases": count, "threads": threads, "aot_bytes": aot_bytes,
    }))
}

/// The component with a custom section at its end, so that it has another digest.
fn marked(component: &[u8], number: usize) -> Vec<u8> {
    const NAME: &[u8] = b"mark";
    let number = (number as u64).to_le_bytes();
    let mut marked = component.to_vec();
    marked.push(0);
    marked.push((1 + NAME.len() + number.len()) as u8);
    marked.push(NAME.len() as u8);
    marked.extend_from_slice(NAME);
    marked.extend_from_slice(&number);
    marked
}
