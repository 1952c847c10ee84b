//! Connections, people, tokens, the audit trail and the hub in the console: who sees and does what, and what is refused.

use bailiwick::ledger::Scope;

use super::Desk;
use crate::support::*;

const POLICE_PAGES: &str = "/p/staffordshire-police";

#[test]
fn each_page_is_for_whom_it_is_for() {
    let site = Site::staffordshire();
    wait(async {
        let desk = Desk::at(site.hub(&clock_at("2026-11-18T09:00:00Z")).await);
        let everybody = [
            (desk.clerk("vera", POLICE, &["viewer"]).await, "connections plugins"),
            (desk.clerk("omar", POLICE, &["operator"]).await, "connections plugins rules"),
            (desk.clerk("anita", POLICE, &["approver"]).await, "connections plugins audit"),
            (desk.clerk("adam", POLICE, &["admin"]).await, "connections plugins people tokens audit"),
        ];
        for (clerk, sees) in &everybody {
            for page in ["connections", "plugins", "rules", "people", "tokens", "audit"] {
                let found = clerk.get(&format!("{POLICE_PAGES}/{page}")).await;
                let wanted = if sees.split(' ').any(|seen| seen == page) { 200 } else { 403 };
                assert_eq!(found.status.as_u16(), wanted, "{page} of {sees}");
                clerk.get(&format!("/p/staffordshire-fire/{page}")).await.is(404);
            }
            clerk.get("/hub").await.is(404);
        }
    });
}

#[test]
fn a_connection_is_tried_and_says_which_step_fails() {
    let site = Site::staffordshire();
    wait(async {
        let desk = Desk::at(site.hub(&clock_at("2026-11-18T09:00:00Z")).await);
        let adam = desk.clerk("adam", POLICE, &["admin"]).await;
        adam.get(&format!("{POLICE_PAGES}/connections")).await.is(200).says(&["payroll-drop", "Folder", "takes from it", "delivers to it"]);
        let page = format!("{POLICE_PAGES}/connections/pension-fund");
        adam.post(&page, &[]).await.is(200).says(&["pension-fund works", "Write"]);
        std::fs::remove_dir_all(site.path("out/pension-fund")).unwrap();
        adam.post(&page, &[]).await.is(200).says(&["pension-fund does not work", "failed: "]);
        let vera = desk.clerk("vera", POLICE, &["viewer"]).await;
        vera.get(&page).await.is(200).hides(&["Check the connection"]);
        vera.post(&page, &[]).await.is(403);
        adam.get(&format!("{POLICE_PAGES}/connections/nothing")).await.is(404);
    });
}

#[test]
fn a_token_is_shown_once_and_goes_no_further_than_people_let_it() {
    let site = Site::staffordshire();
    wait(async {
        let desk = Desk::at(site.hub(&clock_at("2026-11-18T09:00:00Z")).await);
        let adam = desk.clerk("adam", POLICE, &["admin"]).await;
        let new = format!("{POLICE_PAGES}/tokens/new");
        adam.post(&new, &[("name", "<x>"), ("days", "5")]).await.is(422).says(&["Use at most", "Choose at least one", "Choose how long"]);
        let scopes = [("name", "export"), ("scope", "read"), ("days", "30")];
        adam.post(&new, &[scopes[0], ("scope", "approve"), scopes[2]]).await.is(422).says(&["Choose from the list"]);
        adam.post(&new, &scopes).await.is(200).says(&["Check before", "name=\"confirmed\""]).hides(&["bwk_"]);
        let made = adam.post(&new, &[scopes[0], scopes[1], scopes[2], ("confirmed", "yes")]).await;
        made.is(200).says(&["bwk_", "shown this once"]);
        adam.get(&format!("{POLICE_PAGES}/tokens")).await.is(200).says(&["export", "In use"]).hides(&["bwk_"]);
        let again = adam.post(&new, &[scopes[0], scopes[1], scopes[2], ("confirmed", "yes")]).await;
        again.is(422).says(&["choose another name"]);
        let revoked = adam.post(&format!("{POLICE_PAGES}/tokens/export/revoke"), &[("confirmed", "yes")]).await;
        adam.get(&revoked.is(303).to).await.is(200).says(&["is revoked", "Revoked"]);
        adam.get(&format!("{POLICE_PAGES}/tokens/export/revoke")).await.is(404);
    });
}

#[test]
fn people_are_added_given_roles_and_shut_out_only_where_they_are_alone() {
    let site = Site::staffordshire();
    wait(async {
        let desk = Desk::at(site.hub(&clock_at("2026-11-18T09:00:00Z")).await);
        let adam = desk.clerk("adam", POLICE, &["admin"]).await;
        let people = format!("{POLICE_PAGES}/people");
        let new = format!("{people}/new");
        adam.post(&new, &[("person", "Jané"), ("role", "owner")]).await.is(422).says(&["Choose from the list", "Write 1 to 100"]);
        let jane = [("person", "jane.smith"), ("shown", "Jane <Smith>"), ("role", "viewer")];
        adam.post(&new, &jane).await.is(200).says(&["Jane &lt;Smith&gt;", "Check before"]);
        let added = adam.post(&new, &[jane[0], jane[1], jane[2], ("confirmed", "yes")]).await;
        added.is(200).says(&["Password of jane.smith", "shown this once"]);
        let page = format!("{people}/jane.smith");
        adam.get(&page).await.is(200).says(&["Jane &lt;Smith&gt;", "Viewer", "May sign in"]);
        let roles = [("role", "viewer"), ("role", "operator"), ("confirmed", "yes")];
        adam.get(&adam.post(&format!("{page}/roles"), &roles).await.is(303).to).await.is(200).says(&["Operator"]);
        adam.get(&adam.post(&format!("{page}/disable"), &[("confirmed", "yes")]).await.is(303).to).await.is(200).says(&["May not sign in"]);

        // Of somebody with a role elsewhere, only what they are here is changed.
        let both = desk.clerk("both", FIRE, &["viewer"]).await;
        let granted = adam.post(&new, &[("person", "both"), ("role", "viewer"), ("confirmed", "yes")]).await;
        granted.is(303);
        adam.get(&format!("{people}/both")).await.is(200).says(&["at another partner"]).hides(&["/both/disable", "fire"]);
        for act in ["disable", "sign-out"] {
            adam.post(&format!("{people}/both/{act}"), &[("confirmed", "yes")]).await.is(409);
        }
        adam.post(&format!("{people}/both/remove"), &[("confirmed", "yes")]).await.is(303);
        adam.get(&format!("{people}/both")).await.is(404);
        // They are signed in as before, and are nobody here.
        both.get(&people).await.is(404);
        both.get(&format!("/p/{FIRE}/jobs")).await.is(200);
        let known = desk.hub.ledger().people(Scope::Partner(&partner(FIRE))).await.unwrap();
        assert_eq!(known.len(), 1, "what they are elsewhere stays");
    });
}

#[test]
fn the_audit_trail_is_searched_downloaded_and_worked_out_again() {
    let site = Site::staffordshire();
    wait(async {
        let desk = Desk::at(site.hub(&clock_at("2026-11-18T09:00:00Z")).await);
        let anita = desk.clerk("anita", POLICE, &["approver"]).await;
        let audit = format!("{POLICE_PAGES}/audit");
        anita.get(&audit).await.is(200).says(&["release.", "Entries, newest first"]).hides(&["staffordshire-fire"]);
        anita.get(&format!("{audit}?action=nothing-like-it")).await.is(200).says(&["No entry is like that"]);
        anita.get(&format!("{audit}?from=2026-11-18&to=2026-11-18&subject=release")).await.is(200).says(&["release:"]);
        anita.get(&format!("{audit}?to=17%2F11%2F2026")).await.is(200).says(&["No entry is like that"]);
        anita
            .get(&format!("{audit}?from=31-13-2026&actor=%3Cb%3E"))
            .await
            .is(422)
            .says(&["a day that exists", "&lt;b&gt;"])
            .hides(&["<b>"]);
        anita.post(&audit, &[]).await.is(200).says(&["The trail is whole"]);
        anita.post_bare(&audit, &[]).await.is(403);
        let export = anita.get(&format!("{audit}/export?subject=release")).await;
        let lines: Vec<serde_json::Value> = export.is(200).text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines.len() >= 3 && lines.iter().all(|line| line["subject"].as_str().unwrap().contains("release")), "{lines:?}");
    });
}

#[test]
fn whoever_keeps_the_hub_sees_how_it_stands_and_of_a_partner_how_many_runs() {
    let site = Site::staffordshire();
    wait(async {
        let desk = Desk::at(site.hub(&clock_at("2026-11-18T09:00:00Z")).await);
        finished(&desk.hub, POLICE, LGPS).await;
        let queued = request(&desk.hub, POLICE, LGPS).await;
        desk.hub.tick().await.unwrap();
        let keeper = desk.keeper("kim", (FIRE, &["viewer"])).await;
        let page = keeper.get("/hub").await;
        page.is(200).says(&[
            "SQLite 3.",
            "tables at step",
            "0.1.0 and 0.2.0",
            "Whether it is ready",
            "At work",
            "Last word",
            "Staffordshire Police",
        ]);
        assert!(!page.text.contains(&queued.to_string()) && !page.text.contains(LGPS), "no run and no job of anybody is named");
        // The duties of this hub are not going round: that is said.
        page.says(&["they have not begun", "Lacking"]);
        let overview = keeper.get("/").await;
        let row = |title: &str| {
            let at = overview.text.find(title).unwrap();
            overview.text[at..].split("</tr>").next().unwrap().to_owned()
        };
        let (police, fire) = (row("Staffordshire Police"), row("Staffordshire Fire"));
        assert!(police.contains("Not told") && !police.contains("5,891") && !police.contains("reject"), "{police}");
        assert!(!fire.contains("Not told") && fire.contains("Nothing"), "{fire}");
        desk.clerk("tess", POLICE, &["viewer"]).await.get("/p/staffordshire-police").await.is(200);
        desk.hub.clock().advance(jiff::SignedDuration::from_secs(60));
        keeper.get("/hub").await.is(200).says(&["Silent"]);
    });
}
