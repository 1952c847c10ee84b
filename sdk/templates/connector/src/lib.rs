//! A connector: absences from a provider's API. It pages its list, names the next page in `next`, and says in `until` where
//! the next run goes on. The hub adds the credentials, and keeps every exchange.

use bailiwick_sdk::{Connector, Done, Fetching, FileSession, Http, Hub, OneWay, Page, Trouble, register};
use serde::{Deserialize, Serialize};

/// The connector.
#[derive(Debug)]
pub struct Plugin;

/// What an operator sets.
#[derive(Debug, Deserialize)]
pub struct Settings {
    site: Option<String>,
}

impl Connector for Plugin {
    type Settings = Settings;
    type Fetching = Absences;
    type Sending = OneWay;

    fn fetching(_: &FileSession, settings: Settings, cursor: Option<&str>, hub: &Hub) -> Result<Absences, Trouble> {
        Ok(Absences { http: hub.http(), settings, since: cursor.map(str::to_owned), page: None })
    }
}

/// Absences on their way here.
#[derive(Debug)]
pub struct Absences {
    http: Http,
    settings: Settings,
    /// Where the last run left off.
    since: Option<String>,
    /// The page that the provider named.
    page: Option<String>,
}

/// A page as the provider writes it.
#[derive(Deserialize)]
struct Listed {
    items: Vec<Absence>,
    next: Option<String>,
    until: Option<String>,
}

/// An absence: of what the provider says, what the job takes.
#[derive(Serialize, Deserialize)]
struct Absence {
    employee: String,
    from: String,
    to: String,
    hours: String,
}

impl Fetching for Absences {
    fn next(&mut self, page: &mut Page) -> Result<Done, Trouble> {
        let mut request = self.http.get("/absences").header("accept", "application/json");
        if let Some(site) = &self.settings.site {
            request = request.query("site", site);
        }
        request = match (&self.page, &self.since) {
            (Some(next), _) => request.query("page", next),
            (None, Some(since)) => request.query("since", since),
            (None, None) => request,
        };
        // A provider that says how long it is busy is waited for; one that fails has the run tried again later.
        let listed: Listed = request.patiently()?.json()?;
        for absence in &listed.items {
            page.put_json_line(absence)?;
        }
        if let Some(until) = listed.until {
            page.next_run_from(until);
        }
        if listed.next.is_some() && listed.next == self.page {
            return Err(Trouble::refused("page-names-itself", "The provider names a page as the one after itself."));
        }
        self.page = listed.next;
        Ok(if self.page.is_none() { Done::Yes } else { Done::No })
    }
}

register!(connector Plugin);

#[cfg(test)]
mod tests {
    #[test]
    fn cases() {
        bailiwick_sdk::testing::run_cases::<super::Plugin>(env!("CARGO_MANIFEST_DIR"));
    }
}
