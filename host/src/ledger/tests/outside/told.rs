//! What partners' addresses were sent, read page by page: each once, whatever happened at one moment, and nobody else's.

use std::collections::BTreeSet;

use super::*;

on_both![messages_are_read_page_by_page_and_told_apart];

async fn messages_are_read_page_by_page_and_told_apart(on: Kind) {
    let house = House::new(on).await;
    let ledger = &house.ledger;
    let mut declared = declaration("police", &["lgps"]);
    let webhook =
        |of: &str, event: WebhookEvent| DeclaredWebhook { name: name(of), events: vec![event], definition: declared.jobs[0].definition };
    declared.webhooks = vec![webhook("desk", WebhookEvent::RunSkipped), webhook("other", WebhookEvent::RunSkipped)];
    ledger.apply(&declared, &person(1)).await.unwrap();
    // Three of them at one moment.
    for at_ms in [10, 20, 20, 20, 30] {
        house.enqueue(at_ms).await;
        let claim = house.claim(at_ms).await;
        house.append(&claim, at_ms, Step::Skipped(reason("no-input"))).await;
    }
    let (police, nobody) = (police(), name("nobody"));
    let scope = Scope::Partner(&police);
    let to_desk = MessagesSought { webhook: Some(name("desk")), ..MessagesSought::default() };
    for limit in 1..=6 {
        let (mut read, mut after) = (Vec::new(), None::<MessagePlace>);
        loop {
            let page = ledger.webhook_messages(scope, &to_desk, after.as_ref(), limit).await.unwrap();
            assert!(page.items.len() <= limit as usize && page.items.iter().all(|message| message.webhook.as_str() == "desk"));
            read.extend(page.items);
            let Some(next) = page.next else { break };
            after = Some(next.to_string().parse().unwrap());
        }
        let ids: BTreeSet<&str> = read.iter().map(|message| message.id.as_str()).collect();
        assert_eq!(ids.len(), 5, "{limit} at a time");
        assert_eq!(read.iter().map(|message| message.at_ms).collect::<Vec<_>>(), [30, 20, 20, 20, 10], "{limit} at a time");
    }
    let taken = ledger.take_webhook_messages((&police, &name("desk")), 30, 100).await.unwrap();
    for (message, ends) in taken.iter().zip([Some(40), None]) {
        let settled = WebhookMessage { next_at_ms: None, taken_at_ms: ends, ended_at_ms: Some(40), ..message.clone() };
        assert!(ledger.settle_webhook_message(&settled).await.unwrap());
    }
    let count = async |scope, sought: MessagesSought| ledger.webhook_messages(scope, &sought, None, 99).await.unwrap().items.len();
    for (state, of_desk) in [(MessageState::Taken, 1), (MessageState::GivenUp, 1), (MessageState::Waits, 3)] {
        let sought = MessagesSought { state: Some(state), ..to_desk.clone() };
        let found = ledger.webhook_messages(scope, &sought, None, 99).await.unwrap().items;
        assert_eq!((found.len(), found.iter().all(|message| message.state() == state)), (of_desk, true), "{state:?}");
    }
    assert_eq!(count(scope, MessagesSought::default()).await, 10);
    assert_eq!(count(scope, MessagesSought { event: Some(WebhookEvent::RunHeld), ..to_desk.clone() }).await, 0);
    assert_eq!(count(Scope::Partner(&nobody), to_desk).await, 0);
    assert!("no place".parse::<MessagePlace>().is_err() && "1-a\0".parse::<MessagePlace>().is_err());
}
