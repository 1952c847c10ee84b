//! Personal values in what differs: dots for everybody, and as they are for those who may see them and ask.

use axum::body::Body;
use axum::http::Request;
use bailiwick::access::{Action, TokenAsk, make_token};
use bailiwick::ledger::Scope;
use secrecy::ExposeSecret as _;

use super::Desk;
use crate::support::*;

#[test]
fn differences_show_personal_values_to_whoever_may_see_them_and_asks() {
    let site = Site::staffordshire();
    let payroll = site.read("data/payroll/payroll-2026-10.csv");
    wait(async {
        let desk = Desk::at(site.hub(&clock_at("2026-11-18T09:00:00Z")).await);
        let before = finished(&desk.hub, POLICE, LGPS).await;
        site.write("data/payroll/payroll-2026-11.csv", with_another_name(&payroll));
        let now = finished(&desk.hub, POLICE, LGPS).await;

        let looks = async || {
            let acts = desk.hub.ledger().audit(Scope::Hub, None, 200).await.unwrap().items;
            acts.into_iter().filter(|act| act.action == "personal.see").map(|act| act.actor.to_string()).collect::<Vec<_>>()
        };
        let page = format!("/p/{POLICE}/runs/{}/compare?with={}", now.id, before.id);
        let vera = desk.clerk("vera", POLICE, &["viewer"]).await;
        let anita = desk.clerk("anita", POLICE, &["approver"]).await;
        vera.get(&page).await.is(200).says(&["••••••", "Personal values are shown as dots"]).hides(&["Zimmerman", "Show personal values"]);
        vera.get(&format!("{page}&personal=yes")).await.is(403).hides(&["Zimmerman"]);
        anita.get(&page).await.is(200).says(&["••••••", "Show personal values"]).hides(&["Zimmerman"]);
        assert!(looks().await.is_empty());
        anita.get(&format!("{page}&personal=yes")).await.is(200).says(&["Zimmerman", "Boulton", "Hide personal values"]);
        assert_eq!(looks().await, ["person:anita", "person:anita"], "she saw values of two runs");

        let asked = async |scopes: &[Action], more: &str| {
            let name = format!("t{}{}", scopes.len(), more.len());
            let police = partner(POLICE);
            let ask = TokenAsk { partner: &police, name: &name, scopes: scopes.iter().copied().collect(), expires_at_ms: None };
            let token = make_token(desk.hub.ledger(), &ask, &operator(&desk.hub)).await.unwrap();
            let address = format!("/api/v1/runs/{}/comparison?with={}{more}", now.id, before.id);
            let request = Request::get(address).header("authorization", format!("Bearer {}", token.expose_secret()));
            anita.send(request.body(Body::empty()).unwrap()).await
        };
        let (reads, sees) = ([Action::Read], [Action::Read, Action::SeePersonal]);
        asked(&reads, "").await.is(200).says(&["••••••"]).hides(&["Zimmerman"]);
        asked(&reads, "&personal=true").await.is(403).says(&["scope-missing"]).hides(&["Zimmerman"]);
        asked(&sees, "").await.is(200).hides(&["Zimmerman"]);
        asked(&sees, "&personal=true").await.is(200).says(&["Zimmerman", "Boulton"]);
        assert_eq!(looks().await.len(), 4);
    });
}

/// The payroll with a member of another name. It is no UTF-8.
fn with_another_name(payroll: &[u8]) -> Vec<u8> {
    let (from, to) = (&b"Boulton"[..], &b"Zimmerman"[..]);
    let at = payroll.windows(from.len()).position(|window| window == from).expect("there is a Boulton");
    [&payroll[..at], to, &payroll[at + from.len()..]].concat()
}
