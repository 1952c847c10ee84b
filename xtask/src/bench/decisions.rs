//! Decisions: the hub's in a fresh sandbox, against bare wasmtime and Extism.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use super::figures::Figures;
use super::rounds::{Rounds, Thing, answer, median, number};
use crate::tools::root;

/// How long a round of decisions takes.
const ROUND_MS: &str = "1000";

/// Extism's settings, where its tables are, and how people read it.
type Variant = (&'static str, &'static str, &'static str);

const VARIANTS: [Variant; 3] = [
    ("defaults", "lent", "in its defaults, tables lent by host functions"),
    ("best", "lent", "pooling, guest snapshotted, tables lent by host functions"),
    QUICKEST,
];

const QUICKEST: Variant = ("best", "own", "pooling, guest snapshotted, tables inside the plugin");

/// Ours in a fresh sandbox with every limit ÷ the same component on bare wasmtime.
pub(super) fn against_bare(rounds: &Rounds<'_>) -> Result<Figures> {
    let ours = || number(decide(rounds, &rounds.built.case(), ("1", "typed")), "cpu_ns");
    let theirs = || {
        let mut bare = rounds.peer(&rounds.built.bare);
        bare.arg(rounds.built.started()).arg(root().join("plugins/claim-routing/tables")).arg(rounds.built.case()).arg(ROUND_MS);
        number(bare, "cpu_ns")
    };
    Ok(rounds.pairs(ours, theirs, |ours, bare| ours / bare)?.into())
}

/// Decisions a second on two threads ÷ on one.
pub(super) fn two_cores(rounds: &Rounds<'_>) -> Result<Figures> {
    let a_second = |threads| number(decide(rounds, &rounds.built.case(), (threads, "typed")), "per_second");
    Ok(rounds.pairs(|| a_second("2"), || a_second("1"), |two, one| two / one)?.into())
}

/// Extism's fresh plugin, at its quickest ÷ ours.
pub(super) fn against_extism_fresh(rounds: &Rounds<'_>) -> Result<Figures> {
    against_extism(rounds, "fresh", |ours, extism| extism / ours)
}

/// Ours ÷ Extism's warm plugin, at its quickest.
pub(super) fn against_extism_warm(rounds: &Rounds<'_>) -> Result<Figures> {
    against_extism(rounds, "warm", |ours, extism| ours / extism)
}

/// In each round every variant of Extism runs, and the quickest counts.
fn against_extism(rounds: &Rounds<'_>, life: &str, ratio: impl Fn(f64, f64) -> f64) -> Result<Figures> {
    same_decision(rounds, life)?;
    let (case, small) = (rounds.built.case(), rounds.built.small_case());
    let mut ours = || number(decide(rounds, &case, ("1", "json")), "cpu_ns");
    let mut theirs = VARIANTS.map(|variant| {
        let case = &case;
        move || number(extism(rounds, case, (variant, life)), "cpu_ns")
    });
    let mut ours_small = || number(decide(rounds, &small, ("1", "json")), "cpu_ns");
    let mut theirs_small = || number(extism(rounds, &small, (QUICKEST, life)), "cpu_ns");
    let mut things: Vec<Thing<'_>> = vec![&mut ours];
    things.extend(theirs.iter_mut().map(|their| -> Thing<'_> { their }));
    things.extend([&mut ours_small as Thing<'_>, &mut theirs_small]);
    let came_to = rounds.in_turns(&mut things)?;
    let quickest = |round: &Vec<f64>| round[1..=VARIANTS.len()].iter().copied().fold(f64::INFINITY, f64::min);
    let runs: Vec<f64> = came_to.iter().map(|round| ratio(round[0], quickest(round))).collect();
    let microseconds = |place: usize| median(&came_to.iter().map(|round| round[place] / 1e3).collect::<Vec<_>>());
    let mut figures = Figures::from(runs).also("ours, fresh, JSON in and out", microseconds(0), "µs");
    for (place, (_, _, told)) in VARIANTS.iter().enumerate() {
        figures = figures.also(format!("Extism, {life}, {told}"), microseconds(place + 1), "µs");
    }
    let (ours, theirs) = (microseconds(VARIANTS.len() + 1), microseconds(VARIANTS.len() + 2));
    figures = figures.also("a case that asks little of the rules: ours, fresh", ours, "µs");
    Ok(figures.also(format!("a case that asks little of the rules: Extism, {life}, {}", QUICKEST.2), theirs, "µs"))
}

/// Nothing is compared unless all sides decide the same, to the letter.
fn same_decision(rounds: &Rounds<'_>, life: &str) -> Result<()> {
    let ours = answer(decide(rounds, &rounds.built.case(), ("1", "json")))?;
    for variant in VARIANTS {
        let theirs = answer(extism(rounds, &rounds.built.case(), (variant, life)))?;
        ensure!(
            !ours["decision"].is_null() && ours["decision"] == theirs["decision"],
            "the hub and Extism ({}) decide otherwise:\n{}\n{}",
            variant.2,
            ours["decision"],
            theirs["decision"]
        );
    }
    Ok(())
}

/// The hub's side: the answer as it comes from the sandbox (`typed`), or as `json` like the API's.
fn decide(rounds: &Rounds<'_>, case: &Path, (threads, form): (&str, &str)) -> Command {
    let mut decide = rounds.measure("decide");
    decide.arg(rounds.built.component("claim-routing")).arg(case).args([ROUND_MS, threads, form]);
    decide
}

fn extism(rounds: &Rounds<'_>, case: &Path, ((settings, tables, _), life): (Variant, &str)) -> Command {
    let mut extism = rounds.peer(&rounds.built.extism);
    extism.arg("decide").arg(rounds.built.extism_plugin(settings == "best")).arg(case);
    extism.args([ROUND_MS, settings, tables, life]);
    extism
}
