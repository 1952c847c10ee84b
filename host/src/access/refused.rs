//! What is noted of a request that was refused to somebody known: which route, why, and the names in it. Never what it carried.
//!
//! It must not know how a request came, or what it was answered.

use super::action::Action;
use super::caller::Caller;
use super::session::SignedIn;
use crate::ledger::{By, HubId, Ledger, Refused};
use crate::model::ids::{Digest, PartnerName, RunId};

/// Longest name in an address that is noted: shorter than a token, the key of a session, or the hash of either.
const NAME_CHARS_MAX: usize = 63;

/// Why somebody known was refused: stands on an answer, for whoever notes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnedAway {
    /// They may not do this where they act.
    MayNot(Action),
    /// It is for those who keep the hub.
    KeepersOnly,
    /// A form that no page of their session sent.
    ForeignForm,
    /// There is no such thing where they act. Noted where a thing of that name may be somebody else's: names of jobs and connections are
    /// a partner's own, those of runs, releases and partners the hub's.
    NotThere,
}

impl TurnedAway {
    const fn why(self) -> &'static str {
        match self {
            Self::MayNot(_) => "may-not",
            Self::KeepersOnly => "keepers-only",
            Self::ForeignForm => "foreign-form",
            Self::NotThere => "not-there",
        }
    }

    /// Notes it, and tells whoever has what was asked for and is somebody else. A trail that cannot be written changes no answer.
    pub async fn note(self, ledger: &Ledger, asked: &Asked<'_>, asker: Asker) {
        let ledger = ledger.clone();
        let Asker { at, own, by } = asker;
        let names = asked.names(&own);
        let elsewhere = self == Self::NotThere && names.iter().any(|(of, _)| matches!(of.as_str(), "run" | "release" | "partner"));
        if self == Self::NotThere && !elsewhere {
            return;
        }
        let needs = if let Self::MayNot(action) = self { Some(action.name()) } else { None };
        let route = format!("{} {}", known(asked.method), asked.template);
        let refused = Refused { at, route, why: self.why(), needs, asked: names };
        // Goes on though the caller goes away: whoever hangs up at once is noted like others.
        let noting = tokio::spawn(async move {
            if let Err(error) = ledger.note_refused(&refused, &by).await {
                tracing::warn!(%error, actor = %by.actor, "that somebody was refused something could not be noted");
            }
            if elsewhere {
                ledger.tell_owners(refused, own, by).await;
            }
        });
        if let Err(error) = noting.await {
            tracing::error!(%error, "noting a refusal ended before its time");
        }
    }
}

/// A request, as far as it may be noted.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its method.
    pub method: &'a str,
    /// The address of its route: `/api/v1/runs/{run}`.
    pub template: &'a str,
    /// The path that was asked for.
    pub path: &'a str,
}

impl Asked<'_> {
    /// The partner whose pages were asked for.
    #[must_use]
    pub fn partner(&self) -> Option<PartnerName> {
        decoded(self.path.strip_prefix("/p/")?.split('/').next()?).parse().ok()
    }

    /// What stands in the places of the route, where it can be a name of such a thing; not the partner, where it is one of theirs.
    fn names(&self, own: &[PartnerName]) -> Vec<(String, String)> {
        let places = self.template.split('/').zip(self.path.split('/'));
        let named = places
            .filter_map(|(place, stands)| Some((place.strip_prefix('{')?.strip_suffix('}')?, decoded(stands))))
            .filter(|(of, _)| !of.starts_with('*'));
        let names = named.filter_map(|(of, stands)| {
            let stands = stands.as_str();
            let name = match of {
                // As they are kept, however they were written.
                "run" => stands.parse::<RunId>().ok()?.to_string(),
                "release" => stands.parse::<Digest>().ok()?.to_string(),
                "partner" => stands.parse::<PartnerName>().ok().filter(|partner| !own.contains(partner))?.to_string(),
                _ => plain(stands)?.to_owned(),
            };
            Some((of.to_owned(), name))
        });
        names.collect()
    }
}

/// Who asked, and whose trails say so.
#[derive(Debug, Clone)]
pub struct Asker {
    at: Vec<PartnerName>,
    own: Vec<PartnerName>,
    by: By,
}

impl Asker {
    /// Somebody with a token.
    #[must_use]
    pub fn of(caller: &Caller, hub: &HubId, now_ms: i64) -> Self {
        let own = vec![caller.partner().clone()];
        Self { at: own.clone(), own, by: caller.by(hub, now_ms) }
    }

    /// Somebody signed in, at the partner that the address names, if it is one of theirs; else wherever they have a role.
    #[must_use]
    pub fn signed_in(signed_in: &SignedIn, named: Option<&PartnerName>, (hub, now_ms): (&HubId, i64)) -> Self {
        let partners = signed_in.partners();
        let at = match named.filter(|named| partners.contains_key(named)) {
            Some(named) => vec![named.clone()],
            None => partners.iter().filter(|(_, roles)| !roles.is_empty()).map(|(partner, _)| partner.clone()).collect(),
        };
        Self { at, own: partners.keys().cloned().collect(), by: signed_in.by(hub, now_ms) }
    }
}

/// What stands in an address, as the routes read it.
fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A text that may be a name.
fn plain(text: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (!text.is_empty() && text.len() <= NAME_CHARS_MAX && text.bytes().all(plain)).then_some(text)
}

/// A method that there is: whatever else somebody sends is one.
fn known(method: &str) -> &str {
    if ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].contains(&method) { method } else { "OTHER" }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where by itself")]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_names_are_noted_and_nothing_else() {
        let (run, token) = ("01931f1c8f4b70008000000000000001", format!("bwk_{}", "0".repeat(64)));
        let digest = "ab".repeat(32);
        let own = ["police".parse().unwrap()];
        let names = |template: &str, path: &str| Asked { method: "GET", template, path }.names(&own);
        let is = |of: &str, name: &str| vec![(of.to_owned(), name.to_owned())];
        assert_eq!(names("/api/v1/runs/{run}/cancel", &format!("/api/v1/runs/{run}/cancel")), is("run", run));
        assert_eq!(names("/p/{partner}/runs/{run}", &format!("/p/police/runs/{run}")), is("run", run));
        assert_eq!(
            names("/p/{partner}/runs/{run}", "/p/police/runs/01931F1C-8F4B-7000-8000-000000000001"),
            is("run", run),
            "as it is kept"
        );
        assert_eq!(names("/p/{partner}/{*page}", "/p/fire/rejects/joan"), is("partner", "fire"));
        assert_eq!(names("/api/v1/runs/{run}", &format!("/api/v1/runs/%30{}", &run[1..])), is("run", run), "as the route reads it");
        assert_eq!(Asked { method: "GET", template: "/p/{partner}", path: "/p/%70olice" }.partner(), Some("police".parse().unwrap()));
        assert_eq!(names("/api/v1/releases/{release}", &format!("/api/v1/releases/{digest}")), is("release", &digest));
        assert_eq!(names("/api/v1/jobs/{job}/runs", "/api/v1/jobs/lgps-return/runs"), is("job", "lgps-return"));
        for held_back in [token.as_str(), &digest, "JOAN%20BLOGGS", "", &"a".repeat(64)] {
            assert_eq!(names("/api/v1/secrets/{name}", &format!("/api/v1/secrets/{held_back}")), [], "{held_back}");
            assert_eq!(names("/api/v1/runs/{run}", &format!("/api/v1/runs/{held_back}")), [], "{held_back}");
        }
        assert_eq!((known("GET"), known("BREW")), ("GET", "OTHER"));
    }
}
