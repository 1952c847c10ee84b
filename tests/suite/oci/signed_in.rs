//! Registries that ask who is there, that show a certificate, and that send whoever asks elsewhere.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use rcgen::ExtendedKeyUsagePurpose;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::json;

use super::{COMPONENT, Desk, PULLED, encoded};
use crate::support::*;

/// Files of credentials, right and wrong.
fn with_credentials(desk: &Desk) {
    desk.site.write("right.txt", format!("ann:{REGISTRY_PASSWORD}\n"));
    desk.site.write("wrong.txt", "ann:another\n");
    desk.site.write("shapeless.txt", REGISTRY_PASSWORD);
}

#[test]
fn a_registry_that_asks_who_is_there_gets_the_password_and_nobody_else_does() {
    let desk = Desk::new();
    with_credentials(&desk);
    let registry = Registry::start_with(&RegistryOptions { password: true, ..RegistryOptions::default() });
    let tag = registry.at("police/cost-apportionment:1.0.0");
    desk.refused(&["plugin", "publish", COMPONENT, &tag], "it asks who you are. Give credentials that it accepts");
    desk.refused(
        &["plugin", "publish", COMPONENT, &tag, "--credentials", "wrong.txt"],
        "answers 401 Unauthorized, so that you may not publish",
    );
    desk.refused(&["plugin", "publish", COMPONENT, &tag, "--credentials", "shapeless.txt"], "there is no colon between user and password");
    desk.refused(&["plugin", "publish", COMPONENT, &tag, "--credentials", "none.txt"], "none.txt cannot be read");
    desk.refused(&["plugin", "publish", COMPONENT, &tag, "--credentials-env", "NO_SUCH"], "NO_SUCH is not set");
    desk.done(&["plugin", "publish", COMPONENT, &tag, "--credentials", "right.txt"]);
    let pull = ["plugin", "pull", tag.as_str(), "--out", PULLED];
    desk.refused(&pull, "it asks who you are");
    desk.refused(&[&pull[..], &["--credentials", "wrong.txt"]].concat(), "so that you may not pull from police/cost-apportionment");
    let in_address = format!("oci://ann:{REGISTRY_PASSWORD}@127.0.0.1:{}/a:1", registry.port);
    desk.refused(&["plugin", "pull", &in_address, "--out", PULLED], "credentials do not belong in it");
    let mut by_name = bailiwick(&desk.site, &[&pull[..], &["--credentials-env", "REGISTRY_WORD"]].concat());
    let said: Said =
        by_name.env("REGISTRY_WORD", format!("ann:{REGISTRY_PASSWORD}")).env("BAILIWICK_LOG", "trace").output().unwrap().into();
    assert_eq!((said.code, desk.site.read(PULLED) == desk.site.read(COMPONENT)), (Some(0), true), "{}", said.err);
    super::no_canary(&said);

    // Nor is it in anything that a hub writes down which took a release with it.
    let site = Site::staffordshire();
    assert_eq!(say(&site, &["apply", "."]).code, Some(0));
    let right = desk.site.path("right.txt");
    let said = say(&site, &["plugin", "push", &tag, "--partner", FIRE, "--credentials", right.to_str().unwrap()]);
    assert_eq!(said.code, Some(1), "its signer is not registered: {} {}", said.out, said.err);
    super::no_canary(&said);
    let trail = say(&site, &["audit", "export"]).out;
    assert!(trail.contains("release.turn-away") && !trail.contains(REGISTRY_PASSWORD), "{trail}");
    for file in ["ledger.sqlite", "ledger.sqlite-wal"] {
        let bytes = std::fs::read(site.data().join(file)).unwrap_or_default();
        assert!(!bytes.windows(REGISTRY_PASSWORD.len()).any(|window| window == REGISTRY_PASSWORD.as_bytes()), "{file}");
    }
}

#[test]
fn a_registry_is_spoken_to_by_tls_and_followed_elsewhere_only_by_tls_without_the_password() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    let desk = Desk::new();
    with_credentials(&desk);
    let authority = Authority::new();
    desk.site.write("ca.pem", authority.pem());
    // A store beside it, which gives the component to whoever comes.
    let component = desk.site.read(COMPONENT);
    let signature = desk.site.read("cost-apportionment.wasm.minisig");
    let of_signature = bailiwick::model::ids::Digest::of(&signature).to_string();
    let store = Web::start_under(&authority, move |asked, _| {
        (200, Vec::new(), if asked.path.contains(&of_signature) { signature.clone() } else { component.clone() })
    });
    let registry = Registry::start_with(&RegistryOptions {
        password: true,
        authority: Some(&authority),
        redirects: Some(format!("https://127.0.0.1:{}", store.port)),
        ..RegistryOptions::default()
    });
    let tag = registry.at("police/cost-apportionment:1.0.0");
    let signed_in = ["--credentials", "right.txt", "--ca-file", "ca.pem"];
    let publish = ["plugin", "publish", COMPONENT, tag.as_str()];
    desk.refused(&[&publish[..], &["--credentials", "right.txt"]].concat(), "Ask who keeps it");
    desk.refused(&[&publish[..], &["--ca-file", "right.txt"]].concat(), "it has no certificate in PEM");
    let stranger = Authority::new();
    desk.site.write("stranger.pem", stranger.pem());
    desk.refused(&[&publish[..], &["--credentials", "right.txt", "--ca-file", "stranger.pem"]].concat(), "certificate");
    desk.done(&[&publish[..], &signed_in].concat());
    desk.done(&[&["plugin", "pull", &tag, "--out", PULLED][..], &signed_in].concat());
    assert_eq!(desk.site.read(PULLED), desk.site.read(COMPONENT));
    let asked = store.asked();
    assert_eq!(asked.len(), 2, "the signature and the component: {asked:?}");
    for asked in asked {
        assert!(asked.header("authorization").is_empty() && !format!("{asked:?}").contains(&encoded()), "{asked:?}");
    }

    // Elsewhere without TLS it is not followed, and nobody is asked there.
    let elsewhere = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let redirects = Some(format!("http://{}", elsewhere.local_addr().unwrap()));
    let registry = Registry::start_with(&RegistryOptions { redirects, ..RegistryOptions::default() });
    let tag = registry.at("police/cost-apportionment:1.0.0");
    desk.publish(&tag);
    desk.refused(&["plugin", "pull", &tag, "--out", "elsewhere.wasm"], "it redirects elsewhere without TLS, which is not followed");
    assert_eq!(elsewhere.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nobody came");
    // A store that gives something else.
    let other = Web::start_under(&authority, |_, _| (200, Vec::new(), b"something else".to_vec()));
    let registry = Registry::start_with(&RegistryOptions {
        authority: Some(&authority),
        redirects: Some(format!("https://127.0.0.1:{}", other.port)),
        ..RegistryOptions::default()
    });
    let tag = registry.at("police/cost-apportionment:1.0.0");
    desk.done(&["plugin", "publish", COMPONENT, &tag, "--ca-file", "ca.pem"]);
    let pull = ["plugin", "pull", &tag, "--out", "elsewhere.wasm", "--ca-file", "ca.pem"];
    desk.refused(&pull, "is not what its digest says");
    drop(registry);
    desk.refused(&pull, "connecting failed");
}

#[test]
fn a_registry_that_wants_tokens_gets_one_for_what_is_to_be_done() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    let desk = Desk::new();
    with_credentials(&desk);
    let authority = Authority::new();
    desk.site.write("ca.pem", authority.pem());
    let (certificate, key) = authority.issue("the-issuer", ExtendedKeyUsagePurpose::CodeSigning);
    let key = key.serialize_der();
    let expected = format!("Basic {}", encoded());
    let tokens = Web::start_under(&authority, move |asked, _| {
        let scope = asked.path.split("scope=").nth(1).unwrap_or_default().split('&').next().unwrap_or_default().to_owned();
        let scope = scope.replace("%3A", ":").replace("%2F", "/").replace("%2C", ",");
        let mut parts = scope.split(':').skip(1);
        let (name, does) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        // Anybody may pull; only the one with the password may push.
        let known = asked.header("authorization") == expected;
        let actions: Vec<&str> = does.split(',').filter(|action| known || *action == "pull").collect();
        if !asked.header("authorization").is_empty() && !known {
            return (401, Vec::new(), Vec::new());
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let claims = json!({
            "iss": "the-issuer", "sub": "ann", "aud": "the-registry", "iat": now, "nbf": now - 60, "exp": now + 300, "jti": "1",
            "access": [{ "type": "repository", "name": name, "actions": actions }],
        });
        let header = json!({ "typ": "JWT", "alg": "ES256", "x5c": [BASE64_STANDARD.encode(certificate.der())] });
        let encode = |value: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", encode(&header), encode(&claims));
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key, &random).unwrap();
        let signature = pair.sign(&random, text.as_bytes()).unwrap();
        let token = format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature.as_ref()));
        (200, Vec::new(), json!({ "token": token }).to_string().into_bytes())
    });
    let realm = format!("https://127.0.0.1:{}/token", tokens.port);
    let registry = Registry::start_with(&RegistryOptions {
        authority: Some(&authority),
        tokens: Some((realm, &authority)),
        ..RegistryOptions::default()
    });
    let tag = registry.at("police/cost-apportionment:1.0.0");
    let publish = ["plugin", "publish", COMPONENT, tag.as_str(), "--ca-file", "ca.pem"];
    desk.refused(&publish, "so that you may not publish to police/cost-apportionment");
    desk.refused(&[&publish[..], &["--credentials", "wrong.txt"]].concat(), "whoever gives tokens for it answers 401");
    desk.done(&[&publish[..], &["--credentials", "right.txt"]].concat());
    desk.done(&["plugin", "pull", &tag, "--out", PULLED, "--ca-file", "ca.pem"]);
    assert_eq!(desk.site.read(PULLED), desk.site.read(COMPONENT));
    assert!(tokens.asked().iter().all(|asked| asked.path.contains("service=the-registry")), "{:?}", tokens.asked());

    // Where tokens are given without TLS, nobody asks for one.
    let elsewhere = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let realm = format!("http://{}/token", elsewhere.local_addr().unwrap());
    let registry = Registry::start_with(&RegistryOptions { tokens: Some((realm, &authority)), ..RegistryOptions::default() });
    let tag = registry.at("police/cost-apportionment:1.0.0");
    let publish = ["plugin", "publish", COMPONENT, &tag, "--credentials", "right.txt"];
    desk.refused(&publish, "it wants to be signed in to without TLS, so nothing was sent");
    assert_eq!(elsewhere.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nobody came");
}
