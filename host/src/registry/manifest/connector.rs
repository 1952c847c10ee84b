//! The ways that a connector goes, and the requests that it asks for.

use toml::Spanned;

use crate::model::http::RequestRule;
use crate::model::manifest::ConnectorShape;

use super::Reader;
use super::written::{Port, WayWord, Written};

/// Most rules for requests: a person reads them all before approving a release.
const REQUESTS_MAX: usize = 64;

impl Reader<'_> {
    pub(super) fn connector(&mut self, written: &Written) -> Option<ConnectorShape> {
        self.only_connector_keys(written);
        let kind = self.source.span_of(&["kind"]);
        let ways = self.ways(written, (&[WayWord::Pull, WayWord::Push], "a connector"));
        if !written.wants.http {
            let to_do = "add http = true to [wants]";
            self.problems.add(self.source.problem(kind.clone(), "a connector speaks with a provider by http", to_do));
        }
        let Some(declared) = &written.requests else {
            let to_do = "add requests = [\"GET /v2/payments\"], each a method and a path below the connection's address";
            self.problems.add(self.source.problem(kind, "a connector says which requests it makes", to_do));
            return None;
        };
        if declared.get_ref().is_empty() || declared.get_ref().len() > REQUESTS_MAX {
            let what = format!("there are {} rules for requests", declared.get_ref().len());
            self.wrong(declared.span(), what, format!("write 1 to {REQUESTS_MAX}"));
        }
        let rules: Option<Vec<RequestRule>> =
            declared.get_ref().iter().map(|rule| self.parsed(rule, "write a method and a path, such as \"GET /v2/payments/*\"")).collect();
        Some(ConnectorShape { pulls: ways.contains(&WayWord::Pull), pushes: ways.contains(&WayWord::Push), requests: rules? })
    }

    /// The ways that a plugin of a kind goes: at least one, and none of another kind's.
    pub(super) fn ways(&mut self, written: &Written, (known, kind): (&[WayWord; 2], &str)) -> Vec<WayWord> {
        let [first, second] = known.map(WayWord::word);
        let to_do = format!("write ways = [\"{first}\"], [\"{second}\"] or [\"{first}\", \"{second}\"]");
        let ways: Vec<&Spanned<WayWord>> = written.ways.iter().flat_map(|ways| ways.get_ref()).collect();
        if ways.is_empty() {
            let at = written.ways.as_ref().map(Spanned::span).or_else(|| self.source.span_of(&["kind"]));
            self.problems.add(self.source.problem(at, format!("{kind} goes at least one way"), to_do.clone()));
        }
        for way in ways.iter().filter(|way| !known.contains(way.get_ref())) {
            self.wrong(way.span(), format!("{kind} does not {}", way.get_ref().word()), to_do.clone());
        }
        ways.into_iter().map(|way| *way.get_ref()).collect()
    }

    /// Refuses what only a connector has.
    pub(super) fn no_connector_keys(&mut self, written: &Written) {
        let http = written.wants.http.then(|| self.source.span_of(&["wants", "http"])).flatten();
        let present = [("requests", written.requests.as_ref().map(Spanned::span)), ("wants.http", http)];
        self.not_of_kind(present, "only a connector has");
    }

    /// Refuses what no connector has: it carries bytes, and what it may know of a run is little.
    fn only_connector_keys(&mut self, written: &Written) {
        let first = |ports: &[Spanned<Port>]| ports.first().map(Spanned::span);
        let wants = |wanted: bool, name: &str| wanted.then(|| self.source.span_of(&["wants", name])).flatten();
        let present = [
            ("inputs", first(&written.inputs)),
            ("outputs", first(&written.outputs)),
            ("columns", written.columns.as_ref().map(Spanned::span)),
            ("balance", written.balance.first().map(|balance| balance.name.span())),
            ("rows", written.rows.as_ref().map(Spanned::span)),
            ("case", written.case.as_ref().map(Spanned::span)),
            ("decision", written.decision.as_ref().map(Spanned::span)),
            ("wants.random", wants(written.wants.random, "random")),
            ("wants.state", wants(written.wants.state, "state")),
            ("wants.lookup", wants(!written.wants.lookup.is_empty(), "lookup")),
        ];
        self.not_of_kind(present, "a connector has no");
    }
}
