//! The columns of a format, and the ways that it goes.

use std::ops::Range;

use toml::Spanned;

use crate::model::manifest::FormatShape;

use super::Reader;
use super::ports::COLUMNS_MAX;
use super::written::{WayWord, Written};

impl Reader<'_> {
    pub(super) fn format(&mut self, written: &Written) -> Option<FormatShape> {
        self.only_format_keys(written);
        self.no_connector_keys(written);
        let kind = self.source.span_of(&["kind"]);
        let Some(declared) = &written.columns else {
            self.problems.add(self.source.problem(kind, "a format has columns", "add columns = [{ name = \"…\", type = \"text\" }]"));
            return None;
        };
        let names: Vec<_> = declared.get_ref().iter().map(|column| column.get_ref().name.clone()).collect();
        self.once(&names, "column");
        if names.is_empty() || names.len() > COLUMNS_MAX {
            self.wrong(declared.span(), format!("the format has {} columns", names.len()), format!("declare 1 to {COLUMNS_MAX}"));
        }
        let columns: Option<Vec<_>> = declared.get_ref().iter().map(|column| self.column(column)).collect();
        let ways = self.ways(written, (&[WayWord::Write, WayWord::Read], "a format"));
        Some(FormatShape { columns: columns?, writes: ways.contains(&WayWord::Write), reads: ways.contains(&WayWord::Read) })
    }

    /// Refuses what only a format has.
    pub(super) fn no_format_keys(&mut self, written: &Written) {
        let present = [("ways", written.ways.as_ref().map(Spanned::span)), ("columns", written.columns.as_ref().map(Spanned::span))];
        self.not_of_kind(present, "only a format has");
    }

    /// Refuses what no format has: its world lends neither random numbers nor state, and it has no ports.
    fn only_format_keys(&mut self, written: &Written) {
        let first = |ports: &[Spanned<super::written::Port>]| ports.first().map(Spanned::span);
        let present = [
            ("inputs", first(&written.inputs)),
            ("outputs", first(&written.outputs)),
            ("balance", written.balance.first().map(|balance| balance.name.span())),
            ("rows", written.rows.as_ref().map(Spanned::span)),
            ("case", written.case.as_ref().map(Spanned::span)),
            ("decision", written.decision.as_ref().map(Spanned::span)),
            ("wants.random", written.wants.random.then(|| self.source.span_of(&["wants", "random"])).flatten()),
            ("wants.state", written.wants.state.then(|| self.source.span_of(&["wants", "state"])).flatten()),
        ];
        self.not_of_kind(present, "a format has no");
    }

    pub(super) fn not_of_kind<const N: usize>(&mut self, present: [(&str, Option<Range<usize>>); N], why: &str) {
        for (key, span) in present {
            if let Some(span) = span {
                self.wrong(span, format!("{why} {key}"), format!("take {key} out, or change the kind"));
            }
        }
    }
}
