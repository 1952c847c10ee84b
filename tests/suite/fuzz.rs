//! Every input of the fuzzer's corpus again, without libFuzzer: the seeds, and what was ever found to break something.

#[path = "../fuzz/checks/mod.rs"]
#[expect(unreachable_pub, reason = "the fuzz targets use them from outside")]
mod checks;

use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_input_that_was_kept_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus");
    let folders: BTreeSet<String> =
        std::fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(folders, checks::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect(), "a folder for each target, and no other");
    for (name, check) in checks::TARGETS {
        let mut tried = 0;
        for entry in std::fs::read_dir(corpus.join(name)).unwrap() {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            check(&std::fs::read(&path).unwrap());
            tried += 1;
        }
        assert!(tried > 0, "{name} has no seed");
    }
}
