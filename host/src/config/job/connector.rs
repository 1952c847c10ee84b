//! The connector of an input or output: it belongs to a connection that is an API, and to no other.

use toml::Spanned;

use crate::model::ids::{ConnectionName, PartnerName};
use crate::model::job::{FilePlugin, Place};
use crate::registry::source::Problems;

use super::Reader;
use crate::config::written;

impl Reader<'_> {
    /// The connector that a file goes through. Whether the partner has it, and what it makes of the settings, is seen when the
    /// job is checked. The outer none where something is wrong.
    pub(super) fn connector(
        &mut self,
        written: Option<&Spanned<written::Connector>>,
        (connection, at): (&ConnectionName, &Spanned<String>),
        partner: Option<&PartnerName>,
    ) -> Option<Option<FilePlugin>> {
        let known = self.known.connections.iter().find(|known| Some(&known.partner) == partner && known.name == *connection);
        let is_api = match known {
            Some(known) => matches!(known.place, Place::Api(_)),
            // It was there when the file was judged, and has gone since: it is missed where it is used.
            None if self.known.judged => written.is_some(),
            None => return None,
        };
        match (written, is_api) {
            (None, false) => Some(None),
            (None, true) => {
                let to_do = "add connector = { plugin = \"…\" }, the name of a connector in plugins.toml";
                self.wrong(at.span(), format!("connection {connection} is an API, which a connector must speak"), to_do);
                None
            }
            (Some(written), false) => {
                let what = format!("connection {connection} is no API, so no connector goes there");
                self.wrong(written.span(), what, "take connector out, or name a connection of the kind \"api\"");
                None
            }
            (Some(written), true) => {
                let plugin = &written.get_ref().plugin;
                let settings = self.settings_of(written.get_ref().settings.as_ref());
                Some(Some(FilePlugin { plugin: self.name(plugin)?, settings, line: self.line_of(plugin) }))
            }
        }
    }

    /// Settings of a plugin that a file goes through: a JSON object.
    pub(in crate::config) fn settings_of(&mut self, written: Option<&Spanned<toml::Table>>) -> serde_json::Value {
        let Some(table) = written else { return serde_json::json!({}) };
        let mut problems = Problems::default();
        let settings = self.source.settings("settings", table.get_ref().clone(), &mut problems);
        for problem in problems.as_slice() {
            self.wrong(table.span(), problem.what(), problem.to_do());
        }
        settings
    }

    /// The line of the job's file in which something stands.
    pub(in crate::config) fn line_of<T>(&self, written: &Spanned<T>) -> usize {
        self.source.text[..written.span().start].matches('\n').count() + 1
    }
}
