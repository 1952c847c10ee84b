//! `cargo xtask browser`: a real hub, people of every role, and a real browser that does with the console what they do.
//!
//! It must not know what a page looks like: `tests/browser` does.

mod receiver;
mod site;

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::tools::{command, output, root, succeed, target};
use crate::{plugins, prerequisites};
use site::Site;

/// Longest time that the browser may take for everything, on a machine that is busy.
const BROWSER: Duration = Duration::from_secs(600);

#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Write pictures of the main pages to docs/screenshots.
    #[arg(long)]
    screenshots: bool,
    /// Only the stories whose name contains this.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Serve the hub until Enter is pressed, and start no browser.
    #[arg(long)]
    look: bool,
}

/// Installs what is missing, builds, and runs the stories.
pub(crate) fn run(options: &Options) -> Result<()> {
    prepare()?;
    plugins::build_all()?;
    stories(options)
}

fn stories(options: &Options) -> Result<()> {
    let site = Site::new()?;
    let serving = site.serve()?;
    let told = site.told(&serving)?;
    if options.look {
        println!("{told}");
        println!("press Enter to end");
        std::io::stdin().read_line(&mut String::new())?;
        return Ok(());
    }
    let file = folder().join("site.json");
    std::fs::write(&file, &told)?;
    let mut stories = command("node", &["tests/browser/main.mjs"]);
    stories.arg(&file).env("BAILIWICK_BROWSER", folder());
    if let Some(only) = &options.only {
        stories.env("BAILIWICK_STORIES", only);
    }
    if options.screenshots {
        stories.env("BAILIWICK_SCREENSHOTS", root().join("docs/screenshots"));
    }
    let outcome = within(stories, BROWSER);
    if outcome.is_err() {
        println!("what the hub said is in {}", folder().join("hub.log").display());
    }
    outcome
}

/// Sees that a browser is there, and the packages that drive and judge it.
fn prepare() -> Result<()> {
    prerequisites::debian(&[("node", "nodejs"), ("npm", "npm"), ("chromium", "chromium"), ("openssl", "openssl")])?;
    let version = output(command("node", &["--version"]))?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    ensure!(major.is_some_and(|major| major >= 20), "the browser tests need Node.js 20 or later, and this is {}", version.trim());
    let mut modules = command("sh", &["tests/browser/prepare.sh"]);
    modules.arg(folder());
    succeed(modules)
}

/// Where the browser's packages, its report and the hub's log are.
fn folder() -> std::path::PathBuf {
    target().join("browser")
}

/// Runs a command to its end, and kills it when its time is over.
fn within(mut command: Command, time: Duration) -> Result<()> {
    let mut child = command.spawn().context("node does not start")?;
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            ensure!(status.success(), "a browser finds fault with the console: see above");
            return Ok(());
        }
        if began.elapsed() > time {
            end(&mut child)?;
            bail!("the browser did not come to an end within {} seconds", time.as_secs());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Asks it to end, so that it ends its browser; kills it if it does not.
fn end(child: &mut Child) -> Result<()> {
    output(command("kill", &["-TERM", &child.id().to_string()]))?;
    std::thread::sleep(Duration::from_secs(3));
    if child.try_wait()?.is_none() {
        child.kill()?;
    }
    child.wait()?;
    Ok(())
}
