//! Releases in the console: handed in, looked at, approved by somebody else, put in use, rolled back; and what is refused.

use super::Desk;
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
            "You handed this release in",
            "1.1.0",
        ]);
        anita.get(&page).await.is(200).says(&["It looks things up in the table bank-holidays", "The version was 1.0.0 and is 1.1.0"]);

        omar.get(&format!("{page}/approve")).await.is(200).says(&["somebody else has to approve it"]).hides(&["Continue"]);
        let form = anita.get(&format!("{page}/approve")).await.is(200).text.clone();
        let review =
            form.split("name=\"review\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("the review is named").to_owned();
        let own = [("why", "It is mine"), ("review", review.as_str()), ("confirmed", "yes")];
        omar.post(&format!("{page}/approve"), &own).await.is(409).says(&["added this release"]);
        anita.post(&format!("{page}/approve"), &[("why", "x"), ("review", "another"), ("confirmed", "yes")]).await.is(409);
        anita.post(&format!("{page}/approve"), &[("why", "")]).await.is(422).says(&["Give a reason"]);
        let checked = anita.post(&format!("{page}/approve"), &[("why", "Read <all> of it")]).await;
        checked.is(200).says(&["Read &lt;all&gt; of it", "name=\"confirmed\""]).hides(&["<all>"]);
        let approved =
            anita.post(&format!("{page}/approve"), &[("why", "Read <all> of it"), ("review", &review), ("confirmed", "yes")]).await;
        anita.get(&approved.is(303).to).await.is(200).says(&["The release is approved", "Read &lt;all&gt; of it"]);
        anita.post(&format!("{page}/activate"), &[]).await.is(200).says(&["Put in use"]);
        let active = anita.post(&format!("{page}/activate"), &[("confirmed", "yes")]).await;
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
        for act in ["approve", "refuse", "activate", "try"] {
            vera.post(&format!("{page}/{act}"), &[("why", "x"), ("confirmed", "yes")]).await.is(403);
        }
        vera.get("/p/staffordshire-police/releases/0000000000").await.is(404);
        let fred = desk.clerk("fred", FIRE, &["approver"]).await;
        fred.get(&format!("/p/staffordshire-fire/releases/{}", release.release.key.digest)).await.is(404);
    });
}
