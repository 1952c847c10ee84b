//! A run watched as it happens: every event once, from where a browser lost the line; an end; and no more streams than there may be.

use super::*;
use bailiwick::model::limits::console::STREAMS_MAX;

const HOME: &str = "/p/staffordshire-police";

/// The events of a stream: name, id, data.
fn events(text: &str) -> Vec<(String, String, String)> {
    let field = |block: &str, name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(|value| value.trim().to_owned()).unwrap_or_default()
    };
    text.split("\n\n")
        .filter(|block| block.contains("event:"))
        .map(|block| (field(block, "event"), field(block, "id"), field(block, "data")))
        .collect()
}

#[test]
fn a_stream_tells_all_of_a_run_that_has_ended_and_ends_itself() {
    let site = Site::staffordshire();
    wait(async {
        let console = Console::open(&site).await;
        let run = closed_run(&console.hub).await;
        let path = format!("{HOME}/runs/{run}/events");
        let page = console.get(VIEWER, &path).await;
        page.is(200);
        assert_eq!(page.headers["content-type"], "text/event-stream");
        let all = events(&page.text);
        let ids: Vec<&str> = all.iter().filter(|(name, ..)| name == "step").map(|(_, id, _)| id.as_str()).collect();
        assert_eq!(ids, (1..=ids.len()).map(|id| id.to_string()).collect::<Vec<_>>(), "each event once, in order");
        assert!(ids.len() >= 5 && all.last().is_some_and(|(name, ..)| name == "end"), "{all:?}");
        assert!(all.iter().any(|(name, _, data)| name == "progress" && data.contains("\"rows\"")));
        // A browser that has seen the third goes on with the fourth.
        let request = console.asked("GET", VIEWER, &path).header("last-event-id", "3").body(Body::empty()).unwrap();
        let rest = events(&console.send(request).await.text);
        assert_eq!(rest.iter().find(|(name, ..)| name == "step").map(|(_, id, _)| id.as_str()), Some("4"));
        for nonsense in ["x", "-1", "99999"] {
            let request = console.asked("GET", VIEWER, &path).header("last-event-id", nonsense).body(Body::empty()).unwrap();
            assert!(console.send(request).await.text.contains("event: end"), "{nonsense}");
        }
    });
}

#[test]
fn a_stream_follows_a_run_to_its_end() {
    let site = Site::staffordshire();
    wait(async {
        let console = Console::open(&site).await;
        let run = request(&console.hub, POLICE, LGPS).await;
        let path = format!("{HOME}/runs/{run}/events");
        let hub = console.hub.clone();
        let watching = console.get(VIEWER, &path);
        let working = async {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            while hub.work_once().await.unwrap().is_some() {}
        };
        let (page, ()) = tokio::join!(watching, working);
        let all = events(&page.text);
        assert!(all.iter().any(|(_, _, data)| data.contains("Delivered")), "{all:?}");
        assert_eq!(all.last().map(|(name, ..)| name.as_str()), Some("end"));
    });
}

#[test]
fn no_more_streams_than_there_may_be() {
    let site = Site::staffordshire();
    wait(async {
        let console = Console::open(&site).await;
        let run = request(&console.hub, POLICE, LGPS).await;
        let path = format!("{HOME}/runs/{run}/events");
        let ask = || console.router.clone().oneshot(console.asked("GET", VIEWER, &path).body(Body::empty()).unwrap());
        let mut open = Vec::new();
        for _ in 0..STREAMS_MAX {
            let response = ask().await.unwrap();
            assert_eq!(response.status(), 200);
            open.push(response);
        }
        assert_eq!(ask().await.unwrap().status(), 503, "one too many");
        // Who goes away makes room.
        open.pop();
        assert_eq!(ask().await.unwrap().status(), 200);
    });
}
