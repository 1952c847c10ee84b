//! A job's last runs as a picture, and as the table that says the same.

use maud::{Markup, html};

use crate::console::look::{Column, Table, details, words};
use crate::console::visit::At;
use crate::ledger::Run;

const WIDTH: u64 = 720;
const HEIGHT: u64 = 120;

pub(super) fn history(at: &At, runs: &[Run]) -> Markup {
    if runs.is_empty() {
        return html! { p class="none" { "This job has not run yet." } };
    }
    html! {
        @if runs.len() > 1 {
            figure {
                (rows_picture(runs))
                figcaption {
                    "Rows of the last " (runs.len()) " runs, oldest on the left. Each column is a run: accepted and skipped rows below, rejected rows above, dark."
                }
            }
            figure {
                (duration_picture(runs))
                figcaption { "How long each of them took, from when a hub took it up until it ended." }
            }
            (details("The same as a table", table(at, runs)))
        } @else {
            (table(at, runs))
        }
    }
}

/// How long a run took, once it has ended.
pub(in crate::console) fn took_ms(run: &Run) -> Option<u64> {
    let (started, ended) = (run.started_at_ms?, run.ended_at_ms?);
    u64::try_from(ended - started).ok()
}

fn rows_picture(runs: &[Run]) -> Markup {
    let most = runs.iter().map(|run| run.rows.read).max().unwrap_or(0).max(1);
    let rejected: u64 = runs.iter().map(|run| run.rows.rejected).sum();
    let told = format!("Rows of {} runs, {} at most in one, {} rejected in all", runs.len(), words::count(most), words::count(rejected));
    columns(&told, &format!("{} rows", words::count(most)), runs, |run| {
        let whole = tall(run.rows.read, most);
        let bad = if run.rows.rejected == 0 { 0 } else { tall(run.rows.rejected, most).max(3) };
        vec![(whole.saturating_sub(bad), "fill-bar"), (bad, "fill-bad")]
    })
}

fn duration_picture(runs: &[Run]) -> Markup {
    let most = runs.iter().filter_map(took_ms).max().unwrap_or(0).max(1);
    let told = format!("Duration of {} runs, {} at most", runs.len(), words::duration(most));
    columns(&told, &words::duration(most), runs, |run| vec![(tall(took_ms(run).unwrap_or(0), most), "fill-quiet")])
}

/// How tall a part is, of the picture's height.
fn tall(part: u64, whole: u64) -> u64 {
    let height = u128::from(part) * u128::from(HEIGHT) / u128::from(whole.max(1));
    u64::try_from(height).unwrap_or(HEIGHT).max(u64::from(part > 0))
}

fn columns(told: &str, top: &str, runs: &[Run], parts: impl Fn(&Run) -> Vec<(u64, &'static str)>) -> Markup {
    let left = 0;
    let each = (WIDTH / runs.len() as u64).min(48);
    html! {
        svg class="picture" viewBox=(format!("0 0 {WIDTH} {}", HEIGHT + 26)) role="img" aria-label=(told) {
            text class="quiet" x="0" y="14" font-size="14" { (top) }
            line class="line" x1="0" y1="20" x2=(WIDTH) y2="20" stroke-dasharray="3 4" {}
            line class="line" x1="0" y1=(HEIGHT + 21) x2=(WIDTH) y2=(HEIGHT + 21) {}
            @for (place, run) in runs.iter().rev().enumerate() {
                @let x = left + place as u64 * each;
                @for (y, height, class) in stacked(&parts(run)) {
                    rect class=(class) x=(x + each / 8) y=(y) width=(each - each / 4) height=(height) {
                        title { (run.state) " " (words::local(run.enqueued_at_ms).strftime("%-d %b %Y, %H:%M %Z")) }
                    }
                }
            }
        }
    }
}

/// Parts from the ground up: where each begins, how tall it is, and how it looks.
fn stacked(parts: &[(u64, &'static str)]) -> Vec<(u64, u64, &'static str)> {
    let mut ground = HEIGHT + 20;
    let stack = |(height, class): &(u64, &'static str)| {
        ground = ground.saturating_sub(*height);
        (ground, *height, *class)
    };
    parts.iter().map(stack).filter(|(_, height, _)| *height > 0).collect()
}

fn table(at: &At, runs: &[Run]) -> Table {
    let columns = [Column::words("Run"), Column::words("State"), Column::number("Rows"), Column::number("Rejected"), Column::words("Took")];
    let mut table = Table::new("Last runs", columns).caption_read_out();
    for run in runs {
        table.push([
            html! { a class="plain" href=(at.href(format_args!("runs/{}", run.id))) { (words::short_moment(run.started_at_ms.unwrap_or(run.enqueued_at_ms))) } },
            words::run_tag(run),
            html! { (words::count(run.rows.read)) },
            html! { (words::count(run.rows.rejected)) },
            html! { @if let Some(ms) = took_ms(run) { (words::duration(ms)) } },
        ]);
    }
    table
}
