//! Releases in the console: handed in, looked at, approved by somebody else, put in use, rolled back; and what is refused.

use super::{Answer, Clerk, Desk};
use crate::support::*;

const PLUGINS: &str = "/p/staffordshire-police/plugins";

/// The claim routing with another version.
fn next_version() -> Vec<u8> {
    let mut bytes = std::fs::read(plugin_path("claim-routing")).expect("it is built");
    let (from, to) = (b"version = \\\"1.0.0\\\"", b"version = \\\"1.1.0\\\"");
    let at = bytes.windows(from.len()).position(|window| window == from).expect("the manifest says its version");
    bytes[at..at + from.len()].copy_from_slice(to);
    bytes
}

/// What is ticked on a form, for the form that is sent.
fn ticked(page: &str) -> Vec<(&'static str, String)> {
    let boxes = page.split("name=\"lent\" value=\"").skip(1);
    boxes
        .map(|rest| rest.split_once('"').unwrap())
        .filter(|(_, rest)| rest.starts_with(" checked"))
        .map(|(what, _)| ("lent", what.to_owned()))
        .collect()
}

fn fields<'a>(own: &[(&'a str, &'a str)], lent: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    own.iter().copied().chain(lent.iter().map(|(name, what)| (*name, what.as_str()))).collect()
}

fn review_of(form: &str) -> String {
    form.split("name=\"review\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("the review is named").to_owned()
}

fn hidden(page: &str, name: &str) -> String {
    let field = format!("name=\"{name}\" value=\"");
    page.split(&field).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("{name} in {page}")).to_owned()
}

/// What stands on a page that asks, for the form that is sent from it.
async fn seen(clerk: &Clerk<'_>, path: &str) -> [(&'static str, String); 2] {
    let page = clerk.get(path).await.is(200).text.clone();
    ["review", "trials"].map(|name| (name, hidden(&page, name)))
}

/// Does what a page asks, as it stands there.
async fn sure(clerk: &Clerk<'_>, path: &str, more: &[(&str, &str)]) -> Answer {
    let seen = seen(clerk, path).await;
    send(clerk, path, &seen, more).await
}

async fn send(clerk: &Clerk<'_>, path: &str, seen: &[(&str, String)], more: &[(&str, &str)]) -> Answer {
    let carried = seen.iter().map(|(name, code)| (*name, code.as_str()));
    clerk.post(path, &carried.chain(more.iter().copied()).chain([("confirmed", "yes")]).collect::<Vec<_>>()).await
}

#[test]
fn a_release_goes_from_hand_to_use_by_two_people() {
    let site = Site::staffordshire();
    wait(async {
        let desk = Desk::at(site.hub(&clock_at("2026-11-18T09:00:00Z")).await);
        let omar = desk.clerk("omar", POLICE, &["operator", "approver"]).await;
        let anita = desk.clerk("anita", POLICE, &["approver"]).await;
        omar.get(PLUGINS).await.is(200).says(&["claim-routing", "In use", "Hand in a release"]);
        anita.get(PLUGINS).await.is(200).hides(&["Hand in a release"]);

        let taken = omar.upload(&format!("{PLUGINS}/new"), &[("csrf", omar.csrf.as_bytes()), ("component", &next_version())]).await;
        let page = taken.is(303).to.split('?').next().unwrap().to_owned();
        omar.get(&taken.to).await.is(200).says(&[
            "handed in, checked and compiled",
            "Awaiting approval",
            "person:omar added this release",
            "1.1.0",
        ]);
        anita.get(&page).await.is(200).says(&["It looks things up in the table bank-holidays", "The version was 1.0.0 and is 1.1.0"]);

        omar.get(&format!("{page}/approve")).await.is(200).says(&["so another person has to do this"]).hides(&["Continue"]);
        let form = anita.get(&format!("{page}/approve")).await.is(200).text.clone();
        let (review, lent) = (review_of(&form), ticked(&form));
        assert!(lent.iter().any(|(_, what)| what == "table:bank-holidays") && lent.iter().any(|(_, what)| what == "clock"), "{lent:?}");
        let own = [("why", "It is mine"), ("review", review.as_str()), ("confirmed", "yes")];
        omar.post(&format!("{page}/approve"), &fields(&own, &lent)).await.is(409).says(&["added this release"]);
        let other = [("why", "x"), ("review", "another"), ("confirmed", "yes")];
        anita.post(&format!("{page}/approve"), &fields(&other, &lent)).await.is(409);
        anita.post(&format!("{page}/approve"), &fields(&[("why", "")], &lent)).await.is(422).says(&["Give a reason"]);
        let why = [("why", "Read <all> of it"), ("limit-cpu-ms", "150")];
        let checked = anita.post(&format!("{page}/approve"), &fields(&why, &lent)).await;
        checked.is(200).says(&["Read &lt;all&gt; of it", "name=\"confirmed\"", "cpu-ms: at most 150"]).hides(&["<all>"]);
        let sent = [why[0], why[1], ("review", review.as_str()), ("confirmed", "yes")];
        let approved = anita.post(&format!("{page}/approve"), &fields(&sent, &lent)).await;
        anita.get(&approved.is(303).to).await.is(200).says(&[
            "The release is approved",
            "Read &lt;all&gt; of it",
            "Its limit cpu-ms is at most 150",
        ]);
        anita.post(&format!("{page}/activate"), &[]).await.is(200).says(&["Put in use"]);
        anita.post(&format!("{page}/activate"), &[("confirmed", "yes")]).await.is(200).says(&["name=\"review\" value=\"", "Put in use"]);
        let active = sure(&anita, &format!("{page}/activate"), &[]).await;
        anita.get(&active.is(303).to).await.is(200).says(&["The release is in use"]);
        let back = anita.post(&format!("{PLUGINS}/claim-routing/roll-back"), &[("confirmed", "yes")]).await;
        anita.get(&back.is(303).to).await.is(200).says(&["The release before is in use again"]);
    });
}

#[test]
fn what_is_no_component_and_who_may_not_are_refused() {
    let site = Site::staffordshire();
    wait(async {
        let desk = Desk::at(site.hub(&clock_at("2026-11-18T09:00:00Z")).await);
        let (omar, vera) = (desk.clerk("omar", POLICE, &["operator"]).await, desk.clerk("vera", POLICE, &["viewer"]).await);
        let new = format!("{PLUGINS}/new");
        omar.upload(&new, &[("csrf", omar.csrf.as_bytes()), ("component", b"<script>")]).await.is(422).says(&["The hub refuses it"]);
        omar.upload(&new, &[("csrf", omar.csrf.as_bytes())]).await.is(422).says(&["Choose the component"]);
        omar.upload(&new, &[("component", &next_version()), ("csrf", omar.csrf.as_bytes())]).await.is(403);
        omar.upload(&new, &[("csrf", b"0000"), ("component", &next_version())]).await.is(403);
        vera.upload(&new, &[("csrf", vera.csrf.as_bytes()), ("component", &next_version())]).await.is(403);

        let release = desk.hub.ledger().releases(bailiwick::ledger::Scope::Partner(&partner(POLICE))).await.unwrap().remove(0);
        let page = format!("/p/staffordshire-police/releases/{}", release.release.key.digest);
        vera.get(&page).await.is(200).says(&["Whoever may approve"]).hides(&["Put in use"]);
        for act in ["approve", "refuse", "retire", "activate", "try", "parallel", "canary", "end", "explain"] {
            vera.get(&format!("{page}/{act}")).await.is(403);
            vera.post(&format!("{page}/{act}"), &[("why", "x"), ("confirmed", "yes")]).await.is(403);
        }
        // Who may start runs may try a release beside the one in use; what delivers, or vouches for it, takes an approver.
        omar.get(&format!("{page}/parallel")).await.is(200);
        for act in ["approve", "refuse", "retire", "activate", "canary", "explain"] {
            omar.post(&format!("{page}/{act}"), &[("why", "x"), ("confirmed", "yes")]).await.is(403);
        }
        omar.get(&format!("{page}/dance")).await.is(404);
        vera.get("/p/staffordshire-police/releases/0000000000").await.is(404);
        let fred = desk.clerk("fred", FIRE, &["approver"]).await;
        fred.get(&format!("/p/staffordshire-fire/releases/{}", release.release.key.digest)).await.is(404);
    });
}

#[test]
fn an_approver_grants_less_and_never_more() {
    let site = Site::staffordshire();
    wait(async {
        let desk = Desk::at(site.hub(&clock_at("2026-11-18T09:00:00Z")).await);
        let omar = desk.clerk("omar", POLICE, &["operator"]).await;
        let anita = desk.clerk("anita", POLICE, &["approver"]).await;
        let taken = omar.upload(&format!("{PLUGINS}/new"), &[("csrf", omar.csrf.as_bytes()), ("component", &next_version())]).await;
        let approve = format!("{}/approve", taken.is(303).to.split('?').next().unwrap());
        let form = anita.get(&approve).await.is(200).text.clone();
        let (review, mut lent) = (review_of(&form), ticked(&form));
        assert!(form.contains("<legend>What may it do?</legend>") && form.contains("It cannot work without this."), "{form}");
        let own = [("why", "Read"), ("review", review.as_str()), ("confirmed", "yes")];
        let standing = async || {
            let all = desk.hub.ledger().releases(bailiwick::ledger::Scope::Partner(&partner(POLICE))).await.unwrap();
            all.into_iter().find(|release| release.release.version == "1.1.0").unwrap()
        };
        // What it does not ask for, what is no name, and a limit that is none or above the hub's.
        for strange in ["http", "log", "table:passwords", "sockets", ""] {
            let mut more = lent.clone();
            more.push(("lent", strange.to_owned()));
            anita.post(&approve, &fields(&own, &more)).await.is(422).says(&["There is a problem"]);
        }
        for (limit, amount) in [("limit-cpu-ms", "0"), ("limit-cpu-ms", "99999999999"), ("limit-cpu-ms", "some"), ("limit-dreams", "1")] {
            let with = [own[0], own[1], own[2], (limit, amount)];
            anita.post(&approve, &fields(&with, &lent)).await.is(422).says(&["There is a problem"]);
        }
        // Without what it cannot work without, it is not approved at all; the box stays as it was left.
        lent.retain(|(_, what)| what != "clock");
        let refused = anita.post(&approve, &fields(&own, &lent)).await;
        refused.is(422).says(&["it imports clock, which is kept back", "value=\"clock\">"]).hides(&["value=\"clock\" checked"]);
        assert!(standing().await.verdict.is_none(), "nothing was said of it");
    });
}

#[test]
fn a_release_stands_beside_the_one_in_use_and_is_taken_back() {
    let site = Site::staffordshire();
    wait(async {
        let desk = Desk::at(site.hub(&clock_at("2026-11-18T09:00:00Z")).await);
        let omar = desk.clerk("omar", POLICE, &["operator"]).await;
        let anita = desk.clerk("anita", POLICE, &["approver"]).await;
        let taken = omar.upload(&format!("{PLUGINS}/new"), &[("csrf", omar.csrf.as_bytes()), ("component", &next_version())]).await;
        let page = taken.is(303).to.split('?').next().unwrap().to_owned();
        omar.get(&page).await.is(200).says(&["Run it beside"]).hides(&["Do a share of the runs with it"]);
        omar.post(&format!("{page}/parallel"), &[]).await.is(200).says(&["name=\"confirmed\"", "done a second time"]);
        let begun = sure(&omar, &format!("{page}/parallel"), &[]).await;
        omar.get(&begun.is(303).to)
            .await
            .says(&["is done again with this release from now on", "Every run that delivers is done again with it"]);

        let canary = format!("{page}/canary");
        anita
            .get(&canary)
            .await
            .is(200)
            .says(&["<legend class=\"big\">What takes it back by itself</legend>", "name=\"share\" value=\"10\""]);
        for (name, wrong) in [("share", "0"), ("share", "101"), ("share", "some"), ("failures-max", "-1"), ("took-ms-max", "0")] {
            let sound = [("share", "25"), ("failures-max", "0"), ("held-max", "0"), ("took-ms-max", "60,000")];
            let given: Vec<_> = sound.iter().map(|(field, value)| (*field, if *field == name { wrong } else { *value })).collect();
            anita.post(&canary, &given).await.is(422).says(&["There is a problem", &format!("href=\"#{name}\"")]);
        }
        let sound = [("share", "25"), ("failures-max", "1"), ("held-max", "0"), ("took-ms-max", "60,000"), ("confirmed", "yes")];
        anita.post(&canary, &sound[..4]).await.is(200).says(&["These runs deliver", "60,000"]);
        let begun = sure(&anita, &canary, &sound[..4]).await;
        anita.get(&begun.is(303).to).await.says(&["25 in a hundred runs are done with it"]);
        let bounds = desk.hub.candidates(bailiwick::ledger::Scope::Partner(&partner(POLICE)), None).await.unwrap().remove(0).way;
        let asked = bailiwick::ledger::CanaryBounds { share: 2_500, failures_max: 1, held_max: 0, took_ms_max: Some(60_000) };
        assert_eq!(bounds, bailiwick::ledger::CandidateWay::Canary(asked));

        let end = format!("{page}/end");
        omar.post(&end, &[("confirmed", "yes")]).await.is(422).says(&["Give a reason"]);
        let ended = sure(&omar, &end, &[("why", "It is slow")]).await;
        omar.get(&ended.is(303).to).await.says(&["It does not run beside the one in use"]);
        sure(&omar, &end, &[("why", "Again")]).await.is(409).says(&["stands beside no other"]);
        anita.get(&format!("{page}/explain")).await.is(200).says(&["No trial of this release has come to anything else"]);
        anita.post(&format!("{page}/explain"), &[("why", "x"), ("difference", "rejects"), ("confirmed", "yes")]).await.is(422);

        let retired = sure(&anita, &format!("{page}/retire"), &[("why", "Nobody wants it")]).await;
        anita.get(&retired.is(303).to).await.says(&["The release is given up", "It was given up by"]).hides(&["Run it beside"]);
    });
}

#[test]
fn what_is_decided_holds_for_what_stood_on_the_page() {
    let site = Site::staffordshire();
    wait(async {
        let desk = Desk::at(site.hub(&clock_at("2026-11-18T09:00:00Z")).await);
        let omar = desk.clerk("omar", POLICE, &["operator"]).await;
        let anita = desk.clerk("anita", POLICE, &["approver"]).await;
        let taken = omar.upload(&format!("{PLUGINS}/new"), &[("csrf", omar.csrf.as_bytes()), ("component", &next_version())]).await;
        let page = taken.is(303).to.split('?').next().unwrap().to_owned();
        let digest = page.rsplit('/').next().unwrap().parse().unwrap();
        let key = bailiwick::ledger::ReleaseKey { partner: partner(POLICE), plugin: "claim-routing".parse().unwrap(), digest };
        // The links of the release's page carry what it shows, however late they are followed.
        let shown = anita.get(&page).await.is(200).text.clone();
        let link = shown.split(&format!("{page}/activate?")).nth(1).and_then(|rest| rest.split('"').next()).expect("it is offered");
        let link = format!("{page}/activate?{}", link.replace("&amp;", "&"));
        let paths = ["retire", "refuse", "parallel", "canary"].map(|act| format!("{page}/{act}"));
        let mut before = Vec::new();
        for path in &paths {
            before.push((path.clone(), seen(&anita, path).await));
        }
        desk.hub.refuse_release(&key, "not yet", &operator(&desk.hub)).await.unwrap();
        before.push((format!("{page}/activate"), seen(&anita, &link).await));
        let filled = [("why", "because"), ("share", "10"), ("failures-max", "0"), ("held-max", "0")];
        for (path, seen) in &before {
            send(&anita, path, seen, &filled).await.is(409).says(&["as things stand", "Nothing was changed"]);
        }
        sure(&anita, &format!("{page}/activate"), &[]).await.is(409).says(&["it was refused"]);
        let trail = desk.hub.ledger().audit(bailiwick::ledger::Scope::Partner(&partner(POLICE)), None, 1_000).await.unwrap().items;
        assert_eq!(trail.iter().filter(|entry| entry.action == "release.turn-away").count(), 6, "each is noted");
        assert!(desk.hub.candidates(bailiwick::ledger::Scope::Hub, None).await.unwrap().is_empty());
    });
}

#[test]
fn whoever_brought_the_signature_is_not_offered_the_approval() {
    let site = Site::staffordshire();
    site.write("next.wasm", next_version());
    let typed = [
        &["apply", "."][..],
        &["key", "new", "lead", "--no-passphrase"],
        &["key", "add", POLICE, "lead.pub", "--owner", "Lead"],
        &["plugin", "sign", "next.wasm", "--key", "lead.key"],
    ];
    for arguments in typed {
        let said: Said = bailiwick(&site, arguments).env("BAILIWICK_KEY_PASSPHRASE", "").output().unwrap().into();
        assert_eq!(said.code, Some(0), "{arguments:?} {}", said.err);
    }
    wait(async {
        let desk = Desk::at(site.hub(&clock_at("2026-11-18T09:00:00Z")).await);
        let omar = desk.clerk("omar", POLICE, &["operator"]).await;
        let anita = desk.clerk("anita", POLICE, &["operator", "approver"]).await;
        let cleo = desk.clerk("cleo", POLICE, &["approver"]).await;
        let new = format!("{PLUGINS}/new");
        omar.upload(&new, &[("csrf", omar.csrf.as_bytes()), ("component", &next_version())]).await.is(303);
        let signature = site.read("next.wasm.minisig");
        let parts = [("csrf", anita.csrf.as_bytes()), ("component", &next_version()), ("signature", &signature)];
        let page = anita.upload(&new, &parts).await.is(303).to.split('?').next().unwrap().to_owned();
        let offered = format!("{page}/approve?");
        anita.get(&page).await.is(200).says(&["person:anita brought the signature of this release"]).hides(&[&offered]);
        anita.get(&format!("{page}/approve")).await.is(200).says(&["person:anita brought the signature"]).hides(&["Continue"]);
        cleo.get(&page).await.is(200).says(&[&offered]);
    });
}
