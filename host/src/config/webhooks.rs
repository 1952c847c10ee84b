//! Partners' own addresses that are told of runs and releases: read from webhooks.toml, and written again as they are kept.

use serde::Serialize;
use toml::Spanned;

use super::ConfigError;
use super::folder::{Reader, plain_path};
use super::written;
use crate::model::http::{Origin, check_target};
use crate::model::job::{Webhook, WebhookEvent};
use crate::registry::source::Source;

/// Most addresses of one partner.
const WEBHOOKS_MAX: usize = 50;

impl Reader<'_> {
    pub(super) fn webhooks(&mut self) -> Result<(), ConfigError> {
        let Some((source, written)) = self.file::<written::Webhooks>("webhooks.toml")? else { return Ok(()) };
        for entry in written.webhook {
            let (partner, name) = (self.partner(&source, &entry.partner), self.name(&source, &entry.name));
            let url = self.receiver(&source, &entry.url);
            let events = self.told(&source, &entry.events);
            let signing_secret = self.name(&source, &entry.signing_secret);
            let (Some(partner), Some(name), Some(url), Some(signing_secret)) = (partner, name, url, signing_secret) else { continue };
            let of_partner = self.made.webhooks.iter().filter(|other| other.partner == partner);
            if of_partner.clone().any(|other| other.name == name) {
                self.twice(&source, &entry.name, "webhook of this partner");
            } else if of_partner.count() >= WEBHOOKS_MAX {
                let what = format!("partner {partner} has more than {WEBHOOKS_MAX} webhooks");
                self.problems.add(source.problem(Some(entry.name.span()), what, "tell fewer addresses"));
            }
            self.made.webhooks.push(Webhook {
                partner,
                name,
                url,
                events,
                signing_secret,
                allow_private: entry.allow_private.unwrap_or_default(),
                ca_file: entry.ca_file.map(|path| plain_path(&self.folder.join(path))),
            });
        }
        Ok(())
    }

    /// An address that means the same to everybody who reads it.
    fn receiver(&mut self, source: &Source, written: &Spanned<String>) -> Option<String> {
        let url = written.get_ref();
        if url.starts_with("https://") && Origin::of(url).is_some_and(|(_, target)| check_target(&target).is_ok()) {
            return Some(url.clone());
        }
        let what = format!("{url:?} is no plain address that begins with https://");
        self.problems.add(source.problem(Some(written.span()), what, "write, for instance, \"https://hooks.example.org/bailiwick\""));
        None
    }

    fn told(&mut self, source: &Source, written: &Spanned<Vec<Spanned<String>>>) -> Vec<WebhookEvent> {
        let mut events: Vec<WebhookEvent> = Vec::new();
        for word in written.get_ref() {
            let event = word.get_ref().parse().map_err(|why: String| source.problem(Some(word.span()), why, "write it as it stands there"));
            match self.problems.note(event) {
                Some(event) if events.contains(&event) => {
                    self.problems.add(source.problem(Some(word.span()), "this stands here twice", "write each once"));
                }
                Some(event) => events.push(event),
                None => {}
            }
        }
        if written.get_ref().is_empty() {
            self.problems.add(source.problem(Some(written.span()), "it would be told nothing", "write some of what it is to be told"));
        }
        events
    }
}

/// Webhooks as webhooks.toml, with absolute paths.
#[must_use]
pub fn webhooks_text(webhooks: &[&Webhook]) -> String {
    let entry = |webhook: &&Webhook| Entry {
        partner: webhook.partner.to_string(),
        name: webhook.name.to_string(),
        url: webhook.url.clone(),
        events: webhook.events.iter().map(|event| event.as_str()).collect(),
        signing_secret: webhook.signing_secret.to_string(),
        allow_private: webhook.allow_private,
        ca_file: webhook.ca_file.as_ref().map(|path| path.to_string_lossy().into_owned()),
    };
    toml::to_string(&File { webhook: webhooks.iter().map(entry).collect() }).expect("names, texts and words are TOML")
}

#[derive(Serialize)]
struct File {
    webhook: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Entry {
    partner: String,
    name: String,
    url: String,
    events: Vec<&'static str>,
    signing_secret: String,
    allow_private: bool,
    ca_file: Option<String>,
}
