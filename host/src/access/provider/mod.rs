//! Signing in at a provider of identities that partners keep themselves: OpenID Connect, by code, PKCE, state and nonce.
//!
//! ```text
//! settings  what the operator says of the provider
//! ask       what the provider is asked: where it is, whose code this is
//! arrive    who came back, and what they may do here
//! ```
//!
//! Neither nonce nor verifier is kept anywhere: both are worked out from what the browser holds and what the provider sends back.
//! It must not know cookies or addresses of pages.

mod arrive;
mod ask;
mod settings;

use secrecy::{ExposeSecret as _, SecretString};

use super::session::Door;
use crate::ledger::{LedgerError, NewSignIn};
use crate::model::ids::{Digest, PersonName};

pub use settings::{BadSettings, ProviderSettings};

/// A provider of identities.
#[derive(Debug)]
pub struct Provider {
    settings: ProviderSettings,
    secret: SecretString,
    agent: ureq::Agent,
}

/// What a provider sends back by way of the browser.
#[derive(Debug, Clone, Default)]
pub struct SentBack<'a> {
    /// What was sent there.
    pub state: &'a str,
    /// What it gives for the person; none if it gives none.
    pub code: Option<&'a str>,
    /// Why it gives none.
    pub error: Option<&'a str>,
}

/// Somebody who came back and was let in.
#[derive(Debug)]
pub struct Arrived {
    /// The key of their session.
    pub key: SecretString,
    /// Where they wanted to go.
    pub next: String,
}

/// Why somebody does not come in by way of a provider.
#[derive(Debug, thiserror::Error)]
pub enum ProviderRefused {
    /// They begin again.
    #[error("this sign-in was begun in another browser, was used before, or took longer than ten minutes: begin again")]
    State,
    /// They begin again; the operator reads the log.
    #[error("what {issuer} sent does not prove who you are, or came too late: begin again")]
    Unproven {
        /// The provider.
        issuer: String,
        /// What is wrong with it, for the log.
        why: String,
    },
    /// They ask whoever keeps the provider.
    #[error("{issuer} did not sign you in: {code}")]
    Refused {
        /// The provider.
        issuer: String,
        /// Its word for why.
        code: String,
    },
    /// The operator looks whether the provider is there; they try again.
    #[error("{issuer} does not answer as it should: try again, or tell the operator of the hub")]
    Away {
        /// The provider.
        issuer: String,
        /// What stood in the way, for the log.
        why: String,
    },
    /// They ask whoever keeps people at their partner.
    #[error("you are signed in at {issuer}, but nobody has let you in here: ask whoever keeps people at your partner")]
    Unknown {
        /// The provider.
        issuer: String,
        /// Who they are there.
        name: String,
    },
    /// Whoever keeps people at their partner finds out which account is theirs.
    #[error("{person} has signed in here with another account of {issuer}: ask whoever keeps people at your partner")]
    OtherAccount {
        /// The provider.
        issuer: String,
        /// Whom the account names.
        person: PersonName,
    },
    /// The ledger could not be asked.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Provider {
    /// The provider that an operator's file describes.
    ///
    /// # Errors
    /// [`BadSettings`].
    pub fn read(path: &std::path::Path) -> Result<Self, BadSettings> {
        let settings = ProviderSettings::read(path)?;
        let secret = settings.secret()?;
        let agent = ask::agent(&settings)?;
        Ok(Self { settings, secret, agent })
    }

    /// What people read who are to sign in there.
    #[must_use]
    pub fn title(&self) -> &str {
        self.settings.title.as_deref().unwrap_or("your organisation")
    }

    /// Where to send a browser, to be signed in and come back to `next`. The browser holds `key`.
    ///
    /// # Errors
    /// [`ProviderRefused::Away`], [`ProviderRefused::Ledger`].
    pub async fn begin(&self, door: &Door<'_>, key: &SecretString, next: &str) -> Result<String, ProviderRefused> {
        let mut chance = [0_u8; 32];
        getrandom::fill(&mut chance).expect("the system gives random numbers");
        let state = Digest::new(chance).to_string();
        let address = self.address(Round::of(&state, key)).await?;
        let new = NewSignIn { hash: Digest::of(state.as_bytes()), browser: browser(key), next: next.to_owned() };
        door.ledger.begin_sign_in(&new, door.now_ms).await?;
        Ok(address)
    }

    /// Lets in whoever the provider sends back to the browser that holds `key`.
    ///
    /// # Errors
    /// [`ProviderRefused`].
    pub async fn arrive(
        &self,
        door: &Door<'_>,
        key: &SecretString,
        sent: &SentBack<'_>,
        from: Option<std::net::IpAddr>,
    ) -> Result<Arrived, ProviderRefused> {
        let hash = Digest::of(sent.state.as_bytes());
        let next = door.ledger.end_sign_in(hash, browser(key), door.now_ms).await?.ok_or(ProviderRefused::State)?;
        let Some(code) = sent.code else {
            // Its own word, of which nothing but letters is repeated.
            let code: String = sent.error.unwrap_or("no reason given").chars().filter(|c| c.is_ascii_alphabetic() || *c == '_').collect();
            return Err(ProviderRefused::Refused { issuer: self.issuer(), code: code.replace('_', " ").chars().take(60).collect() });
        };
        let claims = self.claims(code, Round::of(sent.state, key)).await?;
        let key = self.let_in(door, &claims, from).await?;
        Ok(Arrived { key, next })
    }

    fn issuer(&self) -> String {
        self.settings.issuer.clone()
    }
}

/// What belongs to one sign-in.
struct Round {
    state: String,
    nonce: String,
    verifier: String,
}

impl Round {
    fn of(state: &str, key: &SecretString) -> Self {
        let made = |of: &str| Digest::of(format!("bailiwick {of} {state} {}", key.expose_secret()).as_bytes()).to_string();
        Self { state: state.to_owned(), nonce: made("nonce"), verifier: made("verifier") }
    }
}

fn browser(key: &SecretString) -> Digest {
    Digest::of(format!("bailiwick browser {}", key.expose_secret()).as_bytes())
}
