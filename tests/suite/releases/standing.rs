//! What becomes of releases whose key was revoked or that were refused, and whose names count.

use super::{COMPONENT, Stage, done};
use crate::support::*;

#[test]
fn what_a_revoked_key_signed_is_neither_approved_nor_gone_back_to_before_it_is_signed_again() {
    let stage = Stage::new();
    let (_, lost) = (stage.key("lead"), stage.key("lost"));
    stage.ask_for("signed");
    stage.sign(COMPONENT, "lead");
    stage.done("ann", &["apply", "."]);
    let [second, third, fourth] = ["1.0.1", "1.0.2", "1.0.3"].map(|version| stage.version(version));
    [(&second, "lost"), (&third, "lead"), (&fourth, "lost")].iter().for_each(|(component, key)| stage.sign(component, key));
    let [second, third, last] = [&second, &third, &fourth].map(|component| stage.push("ann", component));
    stage.done("ann", &["plugin", "activate", &second]);
    stage.done("ann", &["plugin", "activate", &third]);
    stage.done("ann", &["key", "revoke", FIRE, &lost, "--why", "the laptop was lost"]);
    let refused = stage.approve("bob", &last, "looked at");
    assert!(refused.code == Some(1) && refused.err.contains("that signed it was revoked"), "{}", refused.err);
    stage.refused("bob", &["plugin", "activate", &last], "that signed it was revoked");
    // The one before was signed by the lost key: the way back leads past it.
    stage.done("bob", &["plugin", "roll-back", "cost-apportionment", "--partner", FIRE]);
    assert_eq!(stage.active(), "1.0.0");
    // Signed again by a key that counts, it is as good as any.
    stage.sign(&fourth, "lead");
    assert_eq!(stage.push("ann", &fourth), last);
    let releases = stage.releases();
    let again = releases.as_array().unwrap().iter().find(|release| release["version"] == "1.0.3").unwrap();
    assert_ne!(again["signed-by"].as_str(), Some(lost.as_str()), "{again}");
    done(stage.approve("bob", &last, "looked at"));
    stage.done("bob", &["plugin", "activate", &last]);
    assert_eq!(stage.active(), "1.0.3");
    assert!(stage.done("ann", &["audit", "verify"]).contains("entries fit"));
}

#[test]
fn what_is_in_use_and_was_refused_is_told_by_who_plans_and_who_applies() {
    let stage = Stage::new();
    let first = stage.push("ann", COMPONENT);
    stage.done("ann", &["plan", ".", "--drift"]);
    stage.done("bob", &["plugin", "refuse", &first, "--why", "the shares do not add up"]);
    for command in ["plan", "apply"] {
        let told = stage.done("ann", &[command, "."]);
        assert!(told.contains("stays active: it was refused; put another in use, or roll it back"), "{told}");
    }
    assert_eq!(stage.says("ann", &["plan", ".", "--drift"]).code, Some(2), "whoever watches is told too");
    assert_eq!(stage.active(), "1.0.0");
}

#[test]
fn nobody_types_under_a_name_that_reads_as_a_token() {
    let stage = Stage::new();
    for name in ["token:staffordshire-fire/export", "hub:main", "a/b", "ann smith", "ann\n"] {
        stage.refused(name, &["plugin", "push", COMPONENT, "--partner", FIRE], "is none that the audit trail takes");
    }
    assert!(!stage.done("ann", &["audit", "export"]).contains("person:token"));
}
