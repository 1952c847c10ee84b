//! Pages that are read: for each role, for nobody, and for somebody of another partner.

use super::*;

const HOME: &str = "/p/staffordshire-police";

async fn paths(console: &Console) -> Vec<String> {
    let run = closed_run(&console.hub).await;
    [
        HOME.to_owned(),
        format!("{HOME}/jobs"),
        format!("{HOME}/jobs/{LGPS}"),
        format!("{HOME}/runs"),
        format!("{HOME}/runs?state=closed&job={LGPS}"),
        format!("{HOME}/runs/{run}"),
        format!("{HOME}/runs/{run}/compare"),
        format!("{HOME}/runs/{run}/files/in/payroll"),
        format!("{HOME}/rejects"),
        format!("{HOME}/rejects?run={run}"),
    ]
    .to_vec()
}

#[test]
fn every_role_reads_every_page_and_nobody_else_does() {
    let site = Site::staffordshire();
    wait(async {
        let console = Console::open(&site).await;
        for path in paths(&console).await {
            for who in [VIEWER, OPERATOR, APPROVER, ADMIN] {
                let page = console.get(who, &path).await;
                page.is(200).has("Sign out");
                assert!(page.headers["content-security-policy"].to_str().unwrap().contains("script-src 'self'"), "{path}");
                assert_eq!(page.headers["cache-control"], "no-store", "{path}");
            }
            // Nobody signed in is led to the sign-in, and back to where they wanted to go.
            let page = console.send(Request::get(&path).body(Body::empty()).unwrap()).await;
            assert!(
                page.status == 303 && page.location().starts_with("/sign-in?next=/p/staffordshire-police"),
                "{path} {}",
                page.location()
            );
            // Another partner's is not there, though the same address is.
            let theirs = path.replace("/p/staffordshire-police", "/p/staffordshire-fire");
            console.get(OPERATOR, &theirs).await.is(404).has("Page not found").has_not("Fire");
        }
    });
}

#[test]
fn what_nobody_may_see_is_not_there() {
    let site = Site::staffordshire();
    wait(async {
        let console = Console::open(&site).await;
        let of_fire = request(&console.hub, FIRE, "shared-services-apportionment").await;
        for path in [
            "/p/nobody".to_owned(),
            "/nothing".to_owned(),
            format!("{HOME}/nothing/at/all"),
            format!("{HOME}/jobs/nothing"),
            format!("{HOME}/jobs/..%2f"),
            format!("{HOME}/runs/{of_fire}"),
            format!("{HOME}/runs/{of_fire}/files/in/case"),
            format!("{HOME}/runs/{of_fire}/events"),
            format!("{HOME}/runs/xyz"),
        ] {
            console.get(OPERATOR, &path).await.is(404).has("Page not found");
        }
    });
}

#[test]
fn what_somebody_may_not_do_is_not_offered() {
    let site = Site::staffordshire();
    wait(async {
        let console = Console::open(&site).await;
        let run = closed_run(&console.hub).await;
        let (job, run) = (format!("{HOME}/jobs/{LGPS}"), format!("{HOME}/runs/{run}"));
        console.get(OPERATOR, &job).await.has("Run now").has("Backfill").has("Pause schedule");
        console.get(VIEWER, &job).await.has_not("Run now").has_not("Pause schedule");
        console.get(OPERATOR, &run).await.has("Replay").has("Send again");
        console.get(VIEWER, &run).await.has_not("Replay").has_not("Send again");
        console.get(APPROVER, &run).await.has_not("Replay").has_not("Send again");
    });
}

#[test]
fn a_run_is_told_with_its_totals_deliveries_and_files() {
    let site = Site::staffordshire();
    wait(async {
        let console = Console::open(&site).await;
        let run = closed_run(&console.hub).await;
        let page = console.get(VIEWER, &format!("{HOME}/runs/{run}")).await;
        for text in ["Control totals", "Balances", "Delivered", "Where the rows went", "SHA-256", "How much of each limit was used", "BST"]
        {
            page.has(text);
        }
        let file = console.get(VIEWER, &format!("{HOME}/runs/{run}/files/in/payroll")).await;
        file.has("••••••").has("The first");
        // NI numbers and surnames of the example's payroll are nowhere, for whoever may not see them or only looks.
        for who in [VIEWER, OPERATOR] {
            for path in [format!("{HOME}/runs/{run}"), format!("{HOME}/runs/{run}/files/in/payroll"), format!("{HOME}/rejects")] {
                let page = console.get(who, &path).await;
                for personal in personal(&site) {
                    page.has_not(&personal);
                }
            }
        }
    });
}

/// NI numbers of the example's payroll.
fn personal(site: &Site) -> Vec<String> {
    let text = String::from_utf8_lossy(&site.read("data/payroll/payroll-2026-10.csv")).into_owned();
    let numbers = text.lines().skip(1).filter_map(|line| line.split(',').nth(1)).filter(|number| number.len() == 9);
    let numbers: Vec<String> = numbers.map(str::to_owned).collect();
    assert!(numbers.len() > 5, "the example has NI numbers");
    numbers
}

#[test]
fn files_of_the_console_are_kept_for_ever_and_named_by_their_content() {
    let site = Site::staffordshire();
    wait(async {
        let console = Console::open(&site).await;
        let page = console.get(VIEWER, HOME).await;
        let mut addresses: Vec<&str> = page.text.split('"').filter(|part| part.starts_with("/assets/")).collect();
        addresses.dedup();
        assert_eq!(addresses.len(), 3, "{addresses:?}");
        for address in addresses {
            let file = console.send(Request::get(address).body(Body::empty()).unwrap()).await;
            file.is(200);
            assert_eq!(file.headers["cache-control"], "public, max-age=31536000, immutable");
        }
        assert_eq!(console.send(Request::get("/assets/console-0000.css").body(Body::empty()).unwrap()).await.status, 404);
    });
}

#[test]
fn names_from_outside_are_escaped() {
    let site = Site::staffordshire();
    site.edit("jobs/lgps-monthly-return.toml", "title = \"", "title = \"<script>alert(1)</script> & ");
    wait(async {
        let console = Console::open(&site).await;
        for path in [format!("{HOME}/jobs"), format!("{HOME}/jobs/{LGPS}"), format!("{HOME}/jobs/{LGPS}/pause")] {
            console.get(OPERATOR, &path).await.is(200).has("&lt;script&gt;alert(1)&lt;/script&gt; &amp;").has_not("<script>alert");
        }
        // And those of people.
        console.get(VIEWER, HOME).await.has("vera &lt;viewer&gt;");
        // What is asked for is not told back as it is.
        console.get(VIEWER, &format!("{HOME}/rejects?owner=%3Cscript%3Ealert(1)%3C/script%3E")).await.is(200).has_not("<script>alert");
    });
}
