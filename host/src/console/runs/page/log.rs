//! What happened to a run, event by event, and what its plugin noted.

use maud::{Markup, html};

use crate::console::look::{Column, Table, Tone, tag, words};
use crate::console::runs::told;
use crate::ledger::{LogLine, LoggedEvent};

pub(super) fn events(events: &[LoggedEvent]) -> Table {
    let columns = [Column::words("When"), Column::words("What"), Column::words("By whom")];
    let mut table = Table::new("What happened", columns).caption_read_out();
    for logged in events {
        table.push([words::exact_moment(logged.at_ms), html! { (told::event(&logged.event)) }, {
            let who = words::actor(&logged.actor);
            html! { span class="who" { @match who.strip_prefix("hub:") { Some(hub) => { "Hub " (hub) } None => { (who) } } } }
        }]);
    }
    table
}

pub(super) fn notes(lines: &[LogLine]) -> Markup {
    let mut table = Table::new("What the plugin noted", ["Level", "Note"].map(Column::words)).caption_read_out();
    for line in lines {
        let tone = match line.level.as_str() {
            "error" => Tone::Bad,
            "warn" => Tone::Attention,
            _ => Tone::Quiet,
        };
        table.push([tag(tone, &line.level), html! { span class="log" { (line.message) } }]);
    }
    html! { (table) }
}
