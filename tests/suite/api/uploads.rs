//! Files that come in: to the disk as they come, sealed, so that the hub's memory does not grow with them, and nothing of what is broken
//! off or refused is left. And what becomes of a key where the hub fails.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::routing::post;

use super::*;

const HEADINGS: &str = "reject,reason,Assignment No,NI Number\n";

/// What would show that a file lies clear on the disk.
const MARK: &str = "a-canary-that-nobody-may-read";

/// A hub that serves, with a run of the police that is closed and whose rejects wait.
fn serving(site: &Site) -> (Serving, String) {
    let serving = Serving::start(site);
    serving.run(LGPS);
    let begun = Instant::now();
    loop {
        let runs = asked_of(&serving, "runs?state=closed");
        if let Some(run) = runs["items"][0]["id"].as_str() {
            return (serving, run.to_owned());
        }
        let waiting = asked_of(&serving, "runs");
        assert_ne!(waiting["items"][0]["state"], "failed", "{waiting}");
        assert!(begun.elapsed() < Duration::from_secs(240), "it does not close: {waiting}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn asked_of(serving: &Serving, path: &str) -> Value {
    let call = ureq::get(format!("{}/api/v1/{path}", serving.address())).header("authorization", format!("Bearer {}", serving.token()));
    serde_json::from_str(&call.call().expect("it answers").body_mut().read_to_string().expect("it is text")).expect("it is JSON")
}

/// Begins a request that brings so many bytes to the rejects of a run.
fn begun(serving: &Serving, run: &str, (bytes, more): (usize, &str)) -> TcpStream {
    let host = serving.address().trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(120))).expect("a socket");
    let head = format!(
        "POST /api/v1/runs/{run}/resubmissions?input=payroll HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Authorization: Bearer {}\r\nContent-Length: {bytes}\r\n{more}\r\n",
        serving.token()
    );
    stream.write_all(head.as_bytes()).expect("it takes it");
    stream
}

fn answered(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it answers");
    text
}

/// Memory of a process in bytes, by a line of what Linux tells of it.
fn memory(process: u32, line: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("Linux tells");
    let found = status.lines().find_map(|found| found.strip_prefix(line)).expect("Linux tells it");
    found.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()).expect("a number") * 1024
}

fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut all = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            all.extend(files(&entry));
        } else if !entry.to_string_lossy().contains("ledger.sqlite") {
            all.insert(entry);
        }
    }
    all
}

/// How many acts the trail has.
fn acts(site: &Site) -> usize {
    wait(async {
        let (ledger, _) = conformance::beside(site).await;
        let acts = ledger.audit(Scope::Hub, None, 1_000).await.unwrap().items.len();
        ledger.close().await;
        acts
    })
}

/// Files without a name that a process holds in a folder.
fn nameless(process: u32, folder: &Path) -> Vec<PathBuf> {
    let held = std::fs::read_dir(format!("/proc/{process}/fd")).expect("Linux tells").filter_map(|entry| Some(entry.ok()?.path()));
    let of_folder = |path: &PathBuf| {
        let target = std::fs::read_link(path).unwrap_or_default().to_string_lossy().into_owned();
        target.starts_with(&*folder.to_string_lossy()) && target.ends_with("(deleted)")
    };
    held.filter(of_folder).collect()
}

#[test]
fn the_hubs_memory_does_not_grow_with_a_file_that_comes_in() {
    const BYTES: usize = 60 << 20;
    const MEMORY_BYTES_MAX: u64 = 16 << 20;
    let site = Site::staffordshire();
    let (mut serving, run) = serving(&site);
    let before = files(&site.data());
    // Lines of nothing, which are passed over; and at the end a row that was never rejected, so that the whole is read and refused.
    let mut file = HEADINGS.as_bytes().to_vec();
    file.extend([vec![b' '; 1_023], b"\n".to_vec()].concat().repeat(BYTES / 1_024));
    file.extend_from_slice(b"999999,why,1,2\n");
    for more in ["", "Idempotency-Key: large\r\n", "Idempotency-Key: large\r\n"] {
        std::fs::write(format!("/proc/{}/clear_refs", serving.process()), "5").expect("the peak is forgotten");
        let resident = memory(serving.process(), "VmRSS:");
        let mut stream = begun(&serving, &run, (file.len(), more));
        stream.write_all(&file).expect("it takes all of it");
        let answer = answered(stream);
        assert!(answer.starts_with("HTTP/1.1 409") && answer.contains("not-resubmitted") && answer.contains("reject 999999"), "{answer}");
        let grown = memory(serving.process(), "VmHWM:").saturating_sub(resident);
        println!("{more:?}: a file of {} bytes took {grown} bytes of memory", file.len());
        assert!(grown < MEMORY_BYTES_MAX, "{grown} bytes of memory for {} of a file", file.len());
        assert_eq!(files(&site.data()), before, "what is refused leaves nothing");
    }
    // One that is too large is refused before it has come, or as it comes where it does not say how large it is.
    let answer = answered(begun(&serving, &run, (65 << 20, "")));
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("body-too-large"), "{answer}");
    assert_eq!(serving.terminate(), Some(0));
}

#[test]
fn a_file_that_is_broken_off_leaves_nothing_and_does_nothing() {
    let site = Site::staffordshire();
    let (mut serving, run) = serving(&site);
    let (before, noted) = (files(&site.data()), acts(&site));
    let half = [HEADINGS, &format!("1,why,{MARK},2\n").repeat(200_000)].concat();
    for more in ["", "Idempotency-Key: half\r\n"] {
        let mut stream = begun(&serving, &run, (half.len() * 2, more));
        stream.write_all(half.as_bytes()).expect("it takes it");
        // What has come lies on the disk, without a name, and is not to be read there.
        let began = Instant::now();
        let lies = loop {
            let held = nameless(serving.process(), &site.data());
            match held.iter().find_map(|path| std::fs::read(path).ok().filter(|bytes| bytes.len() > half.len() / 2)) {
                Some(bytes) => break bytes,
                None => assert!(began.elapsed() < Duration::from_secs(30), "it is not on the disk: {held:?}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(!lies.windows(MARK.len()).any(|window| window == MARK.as_bytes()), "it lies clear");
        assert_eq!(files(&site.data()), before, "it has no name");
        drop(stream);
        while !nameless(serving.process(), &site.data()).is_empty() {
            assert!(began.elapsed() < Duration::from_secs(60), "it is still held");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(files(&site.data()), before);
    }
    assert_eq!(asked_of(&serving, "runs")["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(acts(&site), noted, "nothing happened");
    // Its key is as if it had never been sent.
    let whole = [HEADINGS, "999999,why,1,2\n"].concat();
    let mut stream = begun(&serving, &run, (whole.len(), "Idempotency-Key: half\r\n"));
    stream.write_all(whole.as_bytes()).expect("it takes it");
    assert!(answered(stream).contains("not-resubmitted"));
    assert_eq!(serving.terminate(), Some(0));
}

#[test]
fn what_the_hub_failed_of_is_not_done_again_under_its_key() {
    let site = Site::staffordshire();
    wait(async {
        let called = Called::open(&site).await;
        let done = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&done);
        let defect = post(async move || -> &'static str {
            count.fetch_add(1, Ordering::SeqCst);
            panic!("a defect of the test's own");
        });
        let routes = Router::new().route("/api/v1/defect", defect);
        let defective = Called { router: api::around(routes, called.hub.clone()), ..called };
        let ask = async |key: &str| {
            let request = asked("POST", "/api/v1/defect", &defective.police).header("idempotency-key", key);
            defective.send(request.body(Body::empty()).unwrap()).await
        };
        ask("k").await.is_problem(500, "hub-fault");
        // Whether it was done nobody knows: a repeat does nothing, now, later, and to another life of the hub.
        for _ in 0..3 {
            ask("k").await.is_problem(409, "outcome-unknown");
            defective.hub.clock().advance(jiff::SignedDuration::from_mins(16));
        }
        assert_eq!(done.load(Ordering::SeqCst), 1);
        ask("another").await.is_problem(500, "hub-fault");
        assert_eq!(done.load(Ordering::SeqCst), 2);
        defective.post(&defective.police, "/api/v1/defect", "").await.is_problem(500, "hub-fault");
    });
}

#[test]
fn the_hubs_memory_does_not_grow_with_rejects_that_go_out() {
    const ROWS: usize = 1_200;
    const ROW_BYTES: usize = 60_000;
    const MEMORY_BYTES_MAX: u64 = 56 << 20;
    let site = Site::staffordshire();
    site.edit("jobs/lgps-monthly-return.toml", "rows-max = 100", "rows-max = 2000");
    let payroll = "data/payroll/payroll-2026-10.csv";
    let mut file = site.read(payroll);
    let row = file.split(|byte| *byte == b'\n').nth(1).expect("a row").to_vec();
    let row = String::from_utf8(row).expect("the first has plain letters only");
    let long = row.replace("08/03/1967", "99/99/9999").replace("Administrator", &"x".repeat(ROW_BYTES));
    assert!(long.len() > ROW_BYTES && long.contains("99/99/9999"));
    file.extend([long.as_bytes(), b"\n"].concat().repeat(ROWS));
    site.write(payroll, &file);
    let (mut serving, run) = serving(&site);
    let made = say(&site, &["token", "new", POLICE, "clerk", "--scope", "correct", "--scope", "see-personal"]);
    let host = serving.address().trim_start_matches("http://").to_owned();
    for _ in 0..2 {
        std::fs::write(format!("/proc/{}/clear_refs", serving.process()), "5").expect("the peak is forgotten");
        let resident = memory(serving.process(), "VmRSS:");
        let mut stream = TcpStream::connect(&host).expect("it listens");
        let head = format!(
            "GET /api/v1/runs/{run}/rejects/corrections?input=payroll HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Authorization: Bearer {}\r\n\r\n",
            made.out.trim()
        );
        stream.write_all(head.as_bytes()).expect("it takes it");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
        let (head, body) = (String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase(), &answer[end..]);
        assert!(head.starts_with("http/1.1 200") && head.contains(&format!("content-length: {}", body.len())), "{head}");
        let rows = body.split(|byte| *byte == b'\n').filter(|row| row.windows(10).take(200).any(|some| some == b"99/99/9999")).count();
        assert_eq!(rows, ROWS, "each of them");
        let grown = memory(serving.process(), "VmHWM:").saturating_sub(resident);
        println!("rejects of {} bytes took {grown} bytes of memory", body.len());
        assert!(grown < MEMORY_BYTES_MAX, "{grown} bytes of memory for {} of rejects", body.len());
        assert_eq!(nameless(serving.process(), &site.data()), Vec::<PathBuf>::new(), "nothing of it is left");
    }
    assert_eq!(serving.terminate(), Some(0));
}
