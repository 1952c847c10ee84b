//! The project's own tasks. Run one with `cargo xtask NAME`.
#![expect(clippy::print_stdout, reason = "a task talks to the person who ran it")]

mod bench;
mod book;
mod browser;
mod chaos;
mod demo;
mod docs;
mod fuzz;
mod plugins;
mod postgres;
mod prerequisites;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Bailiwick's own tasks")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds everything, starts a hub, runs the four jobs of the Staffordshire example and shows what happened.
    Demo(demo::Options),
    /// Runs every check there is, after installing what it needs.
    Test(test::Options),
    /// Measures against the peers and writes tests/bench/results.json and results.md.
    Bench(bench::Options),
    /// Breaks everything around the hub, many times, and says what was lost: nothing.
    Chaos(chaos::Options),
    /// Drives a real browser through the console as people of every role, and has every page judged.
    Browser(browser::Options),
    /// Tries what nobody thought of on everything that reaches the hub from outside.
    Fuzz(fuzz::Options),
    /// Writes the parts of the documentation that are made from the code.
    Docs,
    /// Makes the book of the documentation under target/book.
    Book,
    /// Checks the house rules: who may know what, file and function length, quarantined crates.
    Tidy,
    /// Builds the plugins in plugins/ into components under target/plugins.
    Plugins,
    /// Checks dependencies against the advisory database. Needs the network.
    Audit,
}

fn main() -> ExitCode {
    match answer(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn answer(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Demo(options) => demo::run(&options),
        Task::Test(options) => test::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Chaos(options) => chaos::run(&options),
        Task::Browser(options) => browser::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Docs => docs::run(),
        Task::Book => book::run(),
        Task::Tidy => tidy::run(),
        Task::Plugins => plugins::build_all().map(|built| println!("{} plugins built", built.len())),
        Task::Audit => test::audit(),
    }
}
