//! Signing in at a provider of identities: a real one, run by the test, with the test as the browser between the two.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use axum::{Extension, Router};
use bailiwick::access::{Provider, Role};
use bailiwick::clock::Clock;
use bailiwick::console;
use bailiwick::ledger::{NewPerson, Scope};
use bailiwick::run::Hub;
use tempfile::TempDir;

use super::{Came, door, named, person, send};
use crate::support::*;

/// The address to which the provider sends browsers back: nobody listens there, as the test is the browser.
const HUB: &str = "http://127.0.0.1:9";

/// `oidc-provider`, stopped when the test ends.
struct Identities {
    child: Child,
    issuer: String,
}

impl Drop for Identities {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Identities {
    fn start() -> Self {
        let oracles =
            std::env::var_os("BAILIWICK_ORACLES").expect("run `cargo xtask test`, or tests/oracles/prepare.sh and export its folder");
        let mut child = Command::new("node")
            .arg(root().join("tests/oracles/identities.mjs"))
            .arg(oracles)
            .arg(format!("{HUB}/sign-in/provider/answer"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node starts");
        let mut issuer = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut issuer).unwrap();
        let issuer = issuer.trim().to_owned();
        assert!(issuer.starts_with("http://127.0.0.1:"), "oidc-provider does not start: prepare the oracles again");
        Self { child, issuer }
    }

    /// Whoever asks next is this account, under a name and in some groups.
    fn be(&self, account: &str, name: &str, groups: &str) {
        ureq::get(format!("{}/be/{account}?name={name}&groups={groups}", self.issuer)).call().unwrap();
    }

    /// Follows an address as a browser does that nobody is signed in with yet, until it leads back to the hub.
    fn follow(&self, address: &str) -> String {
        let agent =
            ureq::Agent::config_builder().max_redirects(0).max_redirects_will_error(false).http_status_as_error(false).build().new_agent();
        let (mut address, mut cookies) = (address.to_owned(), Vec::<(String, String)>::new());
        for _ in 0..10 {
            let jar: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let answer = agent.get(&address).header("cookie", jar.join("; ")).call().unwrap();
            for set in answer.headers().get_all("set-cookie") {
                let (name, value) = set.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
                cookies.retain(|(known, _)| known != name);
                // One without a value is taken away.
                cookies.extend(Some((name.to_owned(), value.to_owned())).filter(|(_, value)| !value.is_empty()));
            }
            let to = answer.headers().get("location").unwrap_or_else(|| panic!("{address} leads nowhere: {}", answer.status()));
            let to = to.to_str().unwrap();
            if let Some(back) = to.strip_prefix(HUB) {
                return back.to_owned();
            }
            address = if to.starts_with('/') { format!("{}{to}", self.issuer) } else { to.to_owned() };
        }
        panic!("the provider leads in a circle")
    }
}

struct House {
    hub: Hub,
    router: Router,
    identities: Identities,
    _folder: TempDir,
}

async fn house(site: &Site) -> House {
    // The provider's tokens are of now.
    let hub = site.hub(&Clock::machine()).await;
    let (identities, folder) = (Identities::start(), TempDir::new().unwrap());
    let path = folder.path().join("provider.toml");
    std::fs::write(folder.path().join("secret"), "a secret of thirty-two characters\n").unwrap();
    let text = format!(
        "issuer = {:?}\ntitle = \"Staffordshire\"\nclient-id = \"bailiwick\"\nclient-secret-file = {:?}\nhub-url = \"{HUB}\"\n\
         [[role]]\ngroup = \"payroll\"\npartner = \"{POLICE}\"\nrole = \"operator\"\n",
        identities.issuer,
        folder.path().join("secret")
    );
    std::fs::write(&path, text).unwrap();
    let router = console::router(hub.clone()).layer(Extension(Arc::new(Provider::read(&path).unwrap())));
    House { hub, router, identities, _folder: folder }
}

impl House {
    async fn get(&self, path: &str, cookies: &str) -> Came {
        send(&self.router, Request::get(path).header("cookie", cookies).body(Body::empty()).unwrap()).await
    }

    /// Leaves for the provider: the address, and what the browser then holds.
    async fn leave(&self) -> (String, String) {
        let came = self.get("/sign-in/provider?next=/p/staffordshire-police", "").await;
        assert_eq!(came.status, 303, "{}", came.text);
        (came.header("location").to_owned(), format!("bailiwick-form={}", came.cookie("bailiwick-form").unwrap()))
    }

    /// There and back.
    async fn sign_in(&self) -> Came {
        let (address, cookies) = self.leave().await;
        self.get(&self.identities.follow(&address), &cookies).await
    }

    async fn known(&self, name: &str) {
        let new = NewPerson { name: named(name), display_name: name.to_owned(), email: None, password: None, hub_operator: false };
        self.hub.ledger().add_person(&new, &operator(&self.hub)).await.unwrap();
    }

    async fn roles(&self, name: &str) -> Vec<String> {
        let people = self.hub.ledger().people(Scope::Hub).await.unwrap();
        people
            .into_iter()
            .find(|person| person.name == named(name))
            .map_or_else(Vec::new, |person| person.roles.into_iter().map(|(_, role)| role).collect())
    }
}

#[track_caller]
fn refused(came: &Came, words: &str) {
    assert_eq!((came.status, came.cookie("bailiwick")), (403, None), "{}", came.text);
    assert!(came.text.contains(words), "{words:?} in {}", came.text);
}

#[test]
fn a_person_signs_in_at_a_provider_of_identities() {
    let site = Site::staffordshire();
    wait(async {
        let house = house(&site).await;
        // A link: a browser would not follow a form that is posted here and sent on to there, as pages of the hub post to the hub alone.
        let form = house.get("/sign-in", "").await.text;
        assert!(form.contains("<a href=\"/sign-in/provider?next=/\">Sign in at Staffordshire"), "{form}");
        assert_eq!(form.matches("<form").count(), form.matches("action=\"/sign-in\"").count(), "{form}");
        house.known("joan").await;
        house.identities.be("a-1", "Joan", "");
        let came = house.sign_in().await;
        assert_eq!((came.status, came.header("location")), (303, "/p/staffordshire-police"), "{}", came.text);
        let joan = door(&house.hub).session(&came.cookie("bailiwick").unwrap()).await.unwrap().expect("she is signed in");
        assert_eq!((joan.person(), joan.partners().len()), (&named("joan"), 0), "she may do nothing yet");
        // In a group, she has its role; out of it, no longer.
        house.identities.be("a-1", "joan", "payroll,tennis");
        assert_eq!(house.sign_in().await.status, 303);
        assert_eq!(house.roles("joan").await, [Role::Operator.name()]);
        house.identities.be("a-1", "joan", "tennis");
        assert_eq!(house.sign_in().await.status, 303);
        assert_eq!(house.roles("joan").await, Vec::<String>::new());
        // Whoever is in a group that is somebody here need not be known before.
        house.identities.be("a-7", "new", "payroll");
        assert_eq!(house.sign_in().await.status, 303);
        assert_eq!(house.roles("new").await, [Role::Operator.name()]);
    });
}

#[test]
fn whoever_a_provider_does_not_vouch_for_stays_outside() {
    let site = Site::staffordshire();
    wait(async {
        let house = house(&site).await;
        house.known("joan").await;
        house.known("gone").await;
        house.hub.ledger().disable_person(&named("gone"), true, &operator(&house.hub)).await.unwrap();
        person(&house.hub, "local", (POLICE, &[Role::Admin]), true).await;
        // Nobody here, let go, with a password of their own here, or without a name that could be anybody's.
        for name in ["nobody", "gone", "local", "%3Cb%3E", ""] {
            house.identities.be("a-2", name, "");
            refused(&house.sign_in().await, "nobody has let you in here");
        }
        house.identities.be("a-1", "joan", "");
        let (address, cookies) = house.leave().await;
        let back = house.identities.follow(&address);
        // In another browser, with another state, without a code.
        refused(&house.get(&back, "").await, "begun in another browser");
        refused(&house.get(&back, &format!("bailiwick-form={}", "1".repeat(64))).await, "begun in another browser");
        refused(&house.get(&back.replace("state=", "state=0"), &cookies).await, "begun in another browser");
        assert_eq!(house.get(&back, &cookies).await.status, 303);
        refused(&house.get(&back, &cookies).await, "was used before");
        // An account that is not the one that she had.
        house.identities.be("a-3", "joan", "");
        refused(&house.sign_in().await, "another account");
        house.identities.be("a-1", "joan", "");
        // The provider's answer belongs to another sign-in, by its nonce or by its code.
        for (part, other) in [("nonce=", "nonce=0"), ("code_challenge=", "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&x=")] {
            let (address, cookies) = house.leave().await;
            let back = house.identities.follow(&address.replace(part, other));
            refused(&house.get(&back, &cookies).await, "does not prove who you are");
        }
        let (address, cookies) = house.leave().await;
        let back = house.identities.follow(&address);
        std::thread::sleep(std::time::Duration::from_millis(3_100));
        refused(&house.get(&back, &cookies).await, "came too late");
        let (address, cookies) = house.leave().await;
        let state = address.split_once("state=").unwrap().1.split('&').next().unwrap().to_owned();
        let said = house.get(&format!("/sign-in/provider/answer?state={state}&error=access_denied%3Cb%3E"), &cookies).await;
        refused(&said, "did not sign you in: access deniedb");
        assert_eq!(house.hub.ledger().live_sessions(None, house.hub.clock().now_ms()).await.unwrap().len(), 1);
    });
}

#[test]
fn a_provider_that_is_away_lets_nobody_in() {
    let site = Site::staffordshire();
    wait(async {
        let mut house = house(&site).await;
        house.identities.child.kill().unwrap();
        house.identities.child.wait().unwrap();
        let came = house.get("/sign-in/provider", "").await;
        assert!(came.status == 502 && came.text.contains("does not answer as it should"), "{} {}", came.status, came.text);
        let bare = console::router(house.hub.clone());
        assert_eq!(send(&bare, Request::get("/sign-in/provider").body(Body::empty()).unwrap()).await.status, 404, "there is none");
    });
}
