//! Outputs that would come back as inputs by another name of the same place, and jobs that are only read again.
#![allow(clippy::unwrap_used)]

use super::*;

/// The job with its output elsewhere, and the output's connection at another place.
fn with(connection: (&str, &str), output: (&str, &str)) -> Vec<(&'static str, String)> {
    let mut files = files();
    for (name, text) in &mut files {
        match *name {
            "connections.toml" => *text = text.replace(connection.0, connection.1),
            "jobs/lgps.toml" => *text = text.replace(output.0, output.1),
            _ => {}
        }
    }
    files
}

#[test]
fn two_names_of_one_place_are_one_place() {
    let output = ("file = \"lgps-return-{month}.txt\"", "file = \"payroll-{date}.csv\"");
    assert!(load_files(&with(("", ""), output)).is_ok(), "the places are apart");
    let problems = load_files(&with(("./data/../out/fund", "./data/../data/payroll"), output)).unwrap_err().to_string();
    assert!(problems.contains("would take this output"), "{problems}");

    let folder = |name: &str| format!("name = \"{name}\"\nkind = \"folder\"\npath = ");
    let server = |name: &str, folder: &str| {
        let pin = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
        format!(
            "name = \"{name}\"\nkind = \"sftp\"\nhost = \"a.example\"\nuser = \"u\"\nhost-key = \"{pin}\"\nkey-secret = \"k\"\nfolder = \"{folder}\"\n#"
        )
    };
    for (folders, apart) in [(["/in", "/in/"], false), (["/in", "/out"], true)] {
        let mut files = with((&folder("payroll-drop"), &server("payroll-drop", folders[0])), output);
        files[1].1 = files[1].1.replace(&folder("pension-fund"), &server("pension-fund", folders[1])).replace("settle-ms = 0\n", "");
        let read = load_files(&files);
        assert_eq!(read.is_ok(), apart, "{folders:?}: {:?}", read.err().map(|problems| problems.to_string()));
    }
}

#[test]
fn a_job_that_was_judged_is_read_again_whatever_became_of_its_connections() {
    let mut texts: std::collections::BTreeMap<String, String> =
        files().into_iter().filter(|(name, _)| !name.ends_with(".csv")).map(|(name, text)| (name.to_owned(), text)).collect();
    texts.remove("tables/bands.toml");
    texts.insert("connections.toml".to_owned(), CONNECTIONS.replace("\"pension-fund\"", "\"pensions\""));
    let again = reload(&texts).unwrap();
    assert_eq!(again.jobs[0].outputs[0].connection.as_str(), "pension-fund", "it is missed where it is used");
    let new: Vec<_> = files().into_iter().map(|(name, text)| (name, texts.get(name).cloned().unwrap_or(text))).collect();
    assert!(load_files(&new).unwrap_err().to_string().contains("has no connection"));
}
