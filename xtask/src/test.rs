//! `cargo xtask test`: every check there is, in the order in which a failure is cheapest.

use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::prerequisites;
use crate::tools::{bailiwick, cargo, command, root, succeed, target};
use crate::{book, browser, demo as demos, fuzz, plugins, tidy};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Run only the steps whose name contains this.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

type Step = (&'static str, fn() -> Result<()>);

const STEPS: &[Step] = &[
    ("prerequisites", prerequisites),
    ("format", || succeed(cargo(&["fmt", "--all", "--check"]))),
    ("tidy", tidy::run),
    ("licences, bans, sources", || succeed(cargo(&["deny", "check", "bans", "licenses", "sources"]))),
    ("book", book::test),
    ("lints", || succeed(cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))),
    // What only tests ask of dependencies must not be what the program stands on.
    ("the program without what tests add", || succeed(cargo(&["check", "--package", "bailiwick"]))),
    ("build", plugins::build_with_tests),
    ("plugins", || plugins::build_all().map(drop)),
    ("oracles", oracles),
    ("tests", tests),
    ("fuzz", fuzz::test),
    ("plugin cases in the sandbox", cases),
    ("demo", demo),
    ("console in a browser", || browser::run(&browser::Options::default())),
    ("demo of two hubs", demos::takeover),
];

/// Runs the steps and says how long each took.
pub(crate) fn run(options: &Options) -> Result<()> {
    let wanted: Vec<&Step> =
        STEPS.iter().filter(|(name, _)| options.only.as_ref().is_none_or(|only| name.contains(only.as_str()))).collect();
    if wanted.is_empty() {
        bail!("no step has that in its name; the steps are: {}", STEPS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "));
    }
    let mut took = Vec::new();
    for (name, step) in wanted {
        println!("\n── {name} ──");
        let began = Instant::now();
        step().with_context(|| format!("the step {name:?} failed"))?;
        took.push((name, began.elapsed()));
    }
    println!();
    for (name, elapsed) in &took {
        println!("{:>6} s  {name}", elapsed.as_secs());
    }
    println!("every step passed");
    Ok(())
}

/// Checks dependencies against the advisory database, as it is today.
pub(crate) fn audit() -> Result<()> {
    prerequisites::cargo_deny()?;
    // Apart, so that a database that could not be fetched is never taken for a dependency that is in order, or for one that is not.
    succeed(cargo(&["deny", "fetch", "db"])).context(
        "NOTHING WAS CHECKED: the advisory database could not be fetched. \
         It comes over the network from the address above; go where there is one and run `cargo xtask audit` again",
    )?;
    succeed(cargo(&["deny", "--offline", "check", "advisories"]))
        .context("an advisory concerns a dependency: update it, or say in deny.toml under [advisories] why it does not matter here")?;
    println!("no advisory concerns a dependency");
    Ok(())
}

fn prerequisites() -> Result<()> {
    prerequisites::wasm_target()?;
    prerequisites::debian(&[
        ("python3", "python3"),
        ("node", "nodejs"),
        ("npm", "npm"),
        ("/usr/sbin/sshd", "openssh-server"),
        ("minisign", "minisign"),
        ("docker-registry", "docker-registry"),
    ])?;
    prerequisites::postgresql()?;
    prerequisites::python_venv()?;
    prerequisites::cargo_deny()
}

fn oracles() -> Result<()> {
    let mut prepare = command("bash", &["tests/oracles/prepare.sh"]);
    prepare.arg(target().join("oracles"));
    succeed(prepare)
}

fn tests() -> Result<()> {
    let mut tests = cargo(&["test", "--workspace"]);
    tests.env("BAILIWICK_ORACLES", target().join("oracles"));
    succeed(tests)
}

fn cases() -> Result<()> {
    for folder in plugins::folders()? {
        let mut test = command(bailiwick(), &["plugin", "test"]);
        test.arg(folder.strip_prefix(root()).unwrap_or(&folder));
        succeed(test)?;
    }
    Ok(())
}

fn demo() -> Result<()> {
    succeed(command(bailiwick(), &["demo", "--example", "examples/staffordshire", "--exit"]))
}
