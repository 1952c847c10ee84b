//! Where the rows and the pounds of a run went, as a picture: from each input through accepted, rejected and skipped to each delivery.
//!
//! The tables beside it say the same in words. It must not know how the numbers came about.

use maud::{Markup, html};

use crate::console::look::words;
use crate::ledger::{Processed, Receipt};
use crate::model::totals::PortTotals;

const WIDTH: u64 = 960;
const BOX_WIDTH: u64 = 260;
const BOX_HEIGHT: u64 = 92;
const GAP: u64 = 22;
/// As wide as the widest band is drawn.
const BAND_MAX: u64 = 30;
/// Characters of a name that fit a box.
const NAME_CHARS: usize = 30;

/// A box: its heading, its lines, how it looks.
struct Node {
    heading: String,
    lines: Vec<(String, &'static str)>,
    class: &'static str,
}

/// A band from a box of one column to a box of the next.
struct Band {
    from: usize,
    to: usize,
    rows: u64,
    class: &'static str,
}

pub(super) fn picture(processed: &Processed, receipts: &[Receipt], money: &[String]) -> Markup {
    let totals = &processed.totals;
    let sum = |of: fn(&PortTotals) -> u64| totals.inputs.iter().map(of).sum::<u64>();
    let (accepted, rejected, skipped) = (sum(|port| port.rows.accepted), sum(|port| port.rows.rejected), sum(|port| port.rows.skipped));
    let inputs: Vec<Node> = totals.inputs.iter().map(|port| input_node(port, money)).collect();
    let mut middle = vec![Node { heading: "Accepted".to_owned(), lines: vec![(rows(accepted), "")], class: "fill-good" }];
    let mut places = [0, 0, 0];
    for (place, (name, count, class)) in [("Rejected", rejected, "fill-bad"), ("Skipped", skipped, "fill-quiet")].into_iter().enumerate() {
        if count > 0 {
            places[place + 1] = middle.len();
            middle.push(Node { heading: name.to_owned(), lines: vec![(rows(count), "")], class });
        }
    }
    let outputs: Vec<Node> = totals.outputs.iter().map(|port| output_node(port, (processed, receipts), money)).collect();
    let first = totals.inputs.iter().enumerate().flat_map(|(from, port)| {
        let counts = port.rows;
        let band = |to: usize, rows, class| Band { from, to, rows, class };
        [
            band(places[0], counts.accepted, "band-good"),
            band(places[1], counts.rejected, "band-bad"),
            band(places[2], counts.skipped, "band-quiet"),
        ]
    });
    let second = totals.outputs.iter().enumerate().map(|(to, port)| Band { from: 0, to, rows: port.rows.accepted, class: "band-bar" });
    drawn([&inputs, &middle, &outputs], &[first.collect(), second.collect()])
}

fn rows(count: u64) -> String {
    words::counted(count, "row", "rows")
}

fn input_node(port: &PortTotals, money: &[String]) -> Node {
    let counts = port.rows;
    let mut lines = vec![(format!("{} read", rows(counts.read)), "")];
    if counts.conserved() {
        lines.extend(first_sum(port, money));
    } else {
        let accounted = counts.accepted + counts.rejected + counts.skipped;
        lines.push((format!("{} accounted for", rows(accounted)), "bad"));
    }
    Node { heading: port.port.clone(), lines, class: if counts.conserved() { "fill-bar" } else { "fill-bad" } }
}

fn output_node(port: &PortTotals, (processed, receipts): (&Processed, &[Receipt]), money: &[String]) -> Node {
    let staged = processed.outputs.iter().find(|output| output.port == port.port);
    let sent = receipts.iter().any(|receipt| receipt.delivered.port == port.port);
    let mut lines = vec![(format!("{} written", rows(port.rows.accepted)), "")];
    lines.extend(first_sum(port, money));
    if let Some(staged) = staged {
        lines.push(if sent { (format!("delivered to {}", staged.connection), "") } else { ("not delivered".to_owned(), "quiet") });
    }
    Node { heading: port.port.clone(), lines, class: if sent { "fill-good" } else { "fill-quiet" } }
}

/// The first sum of money that is not nothing.
fn first_sum(port: &PortTotals, money: &[String]) -> Option<(String, &'static str)> {
    let (column, sum) = port.sums.iter().find(|(column, sum)| money.contains(column) && !sum.is_zero())?;
    Some((format!("{} {}", words::pounds(*sum), words::spaced_within(column)), "strong"))
}

fn drawn(columns: [&[Node]; 3], bands: &[Vec<Band>; 2]) -> Markup {
    let tallest = columns.iter().map(|nodes| nodes.len()).max().unwrap_or(1).max(1) as u64;
    let height = tallest * (BOX_HEIGHT + GAP);
    let most = bands.iter().flatten().map(|band| band.rows).max().unwrap_or(0).max(1);
    let x = |column: usize| column as u64 * (WIDTH - BOX_WIDTH) / 2;
    // Each column stands in the middle of the picture's height.
    let y = |column: usize, place: usize| {
        let own = columns[column].len() as u64 * (BOX_HEIGHT + GAP);
        (height - own) / 2 + place as u64 * (BOX_HEIGHT + GAP) + GAP / 2
    };
    html! {
        div class="wide" tabindex="0" role="region" aria-label="Picture of where the rows went" {
            svg class="picture flow" viewBox=(format!("0 0 {WIDTH} {height}")) role="img" aria-labelledby="flow-title" aria-describedby="flow-told" {
                title id="flow-title" { "Where the rows went. The table of control totals below says the same." }
                desc id="flow-told" { (told(columns)) }
                @for (column, bands) in bands.iter().enumerate() {
                    @for band in bands.iter().filter(|band| band.rows > 0) {
                        @let (from, to) = (y(column, band.from) + BOX_HEIGHT / 2, y(column + 1, band.to) + BOX_HEIGHT / 2);
                        path class=(format!("band {}", band.class)) d=(curve((x(column) + BOX_WIDTH, from), (x(column + 1), to)))
                            stroke-width=((band.rows.saturating_mul(BAND_MAX) / most).max(2)) {}
                    }
                }
                @for (column, nodes) in columns.iter().enumerate() {
                    @for (place, node) in nodes.iter().enumerate() { (boxed(node, x(column), y(column, place))) }
                }
            }
        }
    }
}

/// The boxes read out, column by column.
fn told(columns: [&[Node]; 3]) -> String {
    let node = |node: &Node| {
        let lines: Vec<&str> = node.lines.iter().map(|(line, _)| line.as_str()).collect();
        format!("{}: {}.", node.heading, lines.join(", "))
    };
    columns.into_iter().flatten().map(node).collect::<Vec<_>>().join(" ")
}

fn curve((from_x, from_y): (u64, u64), (to_x, to_y): (u64, u64)) -> String {
    let half = u64::midpoint(from_x, to_x);
    format!("M{from_x} {from_y}C{half} {from_y} {half} {to_y} {to_x} {to_y}")
}

fn boxed(node: &Node, x: u64, y: u64) -> Markup {
    html! {
        rect class="node" x=(x) y=(y) width=(BOX_WIDTH) height=(BOX_HEIGHT) {}
        rect class=(node.class) x=(x) y=(y) width="6" height=(BOX_HEIGHT) {}
        text class="strong" x=(x + 18) y=(y + 22) font-size="15" { (cut(&node.heading)) }
        @for (place, (line, class)) in node.lines.iter().enumerate() {
            text class=(class) x=(x + 18) y=(y + 42 + place as u64 * 18) font-size="14" { (cut(line)) }
        }
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= NAME_CHARS { text.to_owned() } else { text.chars().take(NAME_CHARS - 1).chain(['…']).collect() }
}
