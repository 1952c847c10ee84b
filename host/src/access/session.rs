//! Signing in and out, and what a session is worth.
//!
//! It must not know how a session's key is carried: that is a cookie, elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use secrecy::SecretString;

use super::action::{Action, Role};
use super::caller::Caller;
use super::password;
use crate::ledger::{Actor, By, Counted, Guess, HubId, Ledger, LedgerError, NewSession, PasswordKept, StoredSession};
use crate::model::ids::{Digest, PartnerName, PersonName};
use crate::model::limits::access::{THROTTLE_OF_ADDRESS, THROTTLE_OF_NAME};

/// Chance in the key of a session, in bytes.
const KEY_BYTES: usize = 32;

/// What the keeper of the hub may do at every partner without a role there: appoint its people. What they do is in the audit trail.
const OF_HUB_OPERATOR: [Action; 1] = [Action::ManagePeople];

/// The door of a hub: where people come in.
#[derive(Debug, Clone, Copy)]
pub struct Door<'a> {
    /// Where people and sessions are kept.
    pub ledger: &'a Ledger,
    /// The hub at which they come in.
    pub hub: &'a HubId,
    /// When.
    pub now_ms: i64,
}

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    person: PersonName,
    display_name: String,
    partners: BTreeMap<PartnerName, BTreeSet<Role>>,
    csrf: String,
    hub_operator: bool,
    from: Option<String>,
}

/// Somebody has no role at a partner, or there is no such partner: that is not told apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{person} has no role at {partner}")]
pub struct NotAMember {
    /// Who.
    pub person: PersonName,
    /// Where.
    pub partner: PartnerName,
}

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum SignInRefused {
    /// They look at what they typed. Nothing more is said: not whether there is such a person, nor whether they are disabled.
    #[error("that name and password do not go together, or may not be used")]
    Wrong,
    /// They wait.
    #[error("too many attempts have failed: try again in {}", waiting(*.ms))]
    Wait {
        /// How long.
        ms: i64,
    },
    /// They try again.
    #[error("too many people are signing in at this moment: try again")]
    TooMany,
    /// The ledger could not be asked.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Door<'_> {
    /// Lets somebody in who gives their name and password, and answers the key of their session, which is shown this once.
    ///
    /// # Errors
    /// [`SignInRefused`].
    pub async fn sign_in(&self, name: &str, password: SecretString, from: Option<IpAddr>) -> Result<SecretString, SignInRefused> {
        let typed = PersonName::typed(name);
        let guesses = [by_address(from), by_name(name)];
        let failures = match self.ledger.count_guess(&guesses, self.now_ms).await? {
            Counted::Judge(failures) => failures,
            Counted::Wait(ms) => return Err(SignInRefused::Wait { ms }),
        };
        let known = match &typed {
            Ok(person) => self.ledger.password_of(person).await?,
            Err(_) => None,
        };
        let kept = known.as_ref().filter(|known| !known.disabled).and_then(|known| known.password.clone());
        let fits = password::matches(password, kept).await.map_err(|_| SignInRefused::TooMany)?;
        match known {
            Some(known) if fits => {
                self.ledger.guessed_right(&guesses, self.now_ms).await?;
                self.let_in(&known, "password", from).await
            }
            known => {
                let of = (known.as_ref().map(|known| &known.person), address(from));
                self.ledger.guessed_wrong(&guesses, &failures, (of.0, &of.1), &By::hub(self.hub, self.now_ms)).await?;
                Err(SignInRefused::Wrong)
            }
        }
    }

    /// Begins a session of somebody who has shown who they are.
    pub(super) async fn let_in(&self, known: &PasswordKept, way: &str, from: Option<IpAddr>) -> Result<SecretString, SignInRefused> {
        let mut chance = [0_u8; KEY_BYTES];
        getrandom::fill(&mut chance).expect("the system gives random numbers");
        let key = Digest::new(chance).to_string();
        let session = NewSession {
            hash: Digest::of(key.as_bytes()),
            person: known.person.clone(),
            stamp: known.stamp,
            came_from: address(from),
            way: way.to_owned(),
        };
        let by = By {
            actor: Actor::person(known.person.as_str()),
            hub: self.hub.clone(),
            from: from.map(|from| from.to_string()),
            now_ms: self.now_ms,
            as_of: None,
        };
        match self.ledger.begin_session(&session, &by).await {
            Ok(()) => Ok(SecretString::from(key)),
            // Disabled, or given another password, since they showed who they are.
            Err(LedgerError::NotFound { .. }) => Err(SignInRefused::Wrong),
            Err(error) => Err(error.into()),
        }
    }

    /// Who is signed in with a key, if anybody is, and notes that it was used.
    ///
    /// # Errors
    /// What the ledger failed of.
    pub async fn session(&self, key: &str) -> Result<Option<SignedIn>, LedgerError> {
        let stored = self.ledger.session(Digest::of(key.as_bytes()), self.now_ms).await?;
        Ok(stored.map(|stored| SignedIn::new(stored, key)))
    }

    /// Ends the session of a key. One that has ended already is no error.
    ///
    /// # Errors
    /// What the ledger failed of.
    pub async fn sign_out(&self, key: &str) -> Result<(), LedgerError> {
        self.ledger.end_session(Digest::of(key.as_bytes()), &By::hub(self.hub, self.now_ms)).await
    }
}

impl SignedIn {
    fn new(stored: StoredSession, key: &str) -> Self {
        let mut partners: BTreeMap<PartnerName, BTreeSet<Role>> = stored.partners.into_iter().map(|name| (name, BTreeSet::new())).collect();
        for (partner, role) in stored.roles {
            // A role that this version does not know allows nothing.
            if let Ok(role) = role.parse() {
                partners.entry(partner).or_default().insert(role);
            }
        }
        Self {
            person: stored.person,
            display_name: stored.display_name,
            partners,
            csrf: form_key(key),
            hub_operator: stored.hub_operator,
            from: None,
        }
    }

    /// The same, coming from an address, which the audit trail names beside whatever they do.
    #[must_use]
    pub fn coming_from(mut self, address: Option<IpAddr>) -> Self {
        self.from = address.map(|address| address.to_string());
        self
    }

    /// The name under which they signed in.
    #[must_use]
    pub const fn person(&self) -> &PersonName {
        &self.person
    }

    /// The name by which others know them.
    #[must_use]
    pub fn display_name(&self) -> &str {
        &self.display_name
    }

    /// The partners that they may turn to, with what they are there. For the keeper of the hub: all, and nothing where they have no role.
    #[must_use]
    pub const fn partners(&self) -> &BTreeMap<PartnerName, BTreeSet<Role>> {
        &self.partners
    }

    /// What each form of theirs carries, so that no other site can send one in their name.
    #[must_use]
    pub fn csrf(&self) -> &str {
        &self.csrf
    }

    /// Whether a form carries it.
    #[must_use]
    pub fn csrf_is(&self, sent: &str) -> bool {
        // Compared by their hashes, so that the time taken says nothing of how much was right.
        Digest::of(sent.as_bytes()) == Digest::of(self.csrf.as_bytes())
    }

    /// Whether they keep the hub itself.
    #[must_use]
    pub const fn is_hub_operator(&self) -> bool {
        self.hub_operator
    }

    /// Them at a partner.
    ///
    /// # Errors
    /// [`NotAMember`].
    pub fn at(&self, partner: &PartnerName) -> Result<Caller, NotAMember> {
        let roles = self.partners.get(partner).ok_or_else(|| NotAMember { person: self.person.clone(), partner: partner.clone() })?;
        let mut allowed: BTreeSet<Action> = roles.iter().flat_map(|role| role.allows()).collect();
        if self.hub_operator {
            allowed.extend(OF_HUB_OPERATOR);
        }
        let caller = Caller::new(partner.clone(), Actor::person(self.person.as_str()), allowed);
        Ok(match &self.from {
            Some(from) => caller.coming_from(from.as_str()),
            None => caller,
        })
    }

    /// By whom something is done now that is no partner's.
    #[must_use]
    pub fn by(&self, hub: &HubId, now_ms: i64) -> By {
        By { actor: Actor::person(self.person.as_str()), hub: hub.clone(), from: self.from.clone(), now_ms, as_of: None }
    }
}

/// What a form carries, worked out from a key that only this browser and the hub know. The key cannot be worked out from it.
#[must_use]
pub fn form_key(key: &str) -> String {
    Digest::of(format!("bailiwick form {key}").as_bytes()).to_string()
}

fn by_name(name: &str) -> Guess {
    // Capitals and spaces make no other person, and so no other count.
    let name = name.trim().to_ascii_lowercase();
    Guess { what: format!("name:{}", Digest::of(name.as_bytes())), throttle: THROTTLE_OF_NAME }
}

fn by_address(from: Option<IpAddr>) -> Guess {
    let network = match from {
        // Whoever has one address of the sixth version has its whole network.
        Some(IpAddr::V6(address)) if address.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        other => address(other),
    };
    Guess { what: format!("address:{network}"), throttle: THROTTLE_OF_ADDRESS }
}

fn address(from: Option<IpAddr>) -> String {
    from.map_or_else(String::new, |address| address.to_canonical().to_string())
}

fn waiting(ms: i64) -> String {
    let seconds = ms.max(1).div_euclid(1_000) + i64::from(ms.rem_euclid(1_000) > 0);
    match seconds {
        ..=1 => "a second".to_owned(),
        2..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_euclid(60) + i64::from(seconds.rem_euclid(60) > 0)),
    }
}
