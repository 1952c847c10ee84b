//! Who is signed in. What a browser holds is known by its hash only.

use serde_json::json;

use super::{found, nobody, subject};
use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act, Covered, CoveredKind};
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Transaction, parsed, query, query_scalar};
use crate::ledger::who::{Actor, By};
use crate::model::ids::{Digest, PartnerName, PersonName};
use crate::model::limits::access::{SESSION_IDLE_MS, SESSION_MS_MAX, SESSIONS_OF_PERSON_MAX};

/// How exact the last use of a session is kept: a write for every page would make each wait for the disk.
const TOUCH_EVERY_MS: i64 = 60_000;

/// A session to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// SHA-256 of what the browser holds, which has enough chance in it to need no more.
    pub hash: Digest,
    /// Whose.
    pub person: PersonName,
    /// The person as they were when they showed who they are.
    pub stamp: i64,
    /// The address they came from; nothing if it is not known.
    pub came_from: String,
    /// How they showed who they are.
    pub way: String,
}

/// A session in force, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSession {
    /// Whose.
    pub person: PersonName,
    /// The name by which others know them.
    pub display_name: String,
    /// Whether they keep the hub itself.
    pub hub_operator: bool,
    /// What they are where.
    pub roles: Vec<(PartnerName, String)>,
    /// All partners, if they keep the hub itself.
    pub partners: Vec<PartnerName>,
}

/// A session in force, for a list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSession {
    /// Whose.
    pub person: PersonName,
    /// When it began.
    pub began_at_ms: i64,
    /// When it was last used, to the minute.
    pub used_at_ms: i64,
    /// When it ends, if it goes on being used.
    pub ends_at_ms: i64,
    /// The address they came from; nothing if it is not known.
    pub came_from: String,
    /// How they showed who they are.
    pub way: String,
}

#[derive(sqlx::FromRow)]
struct SessionRow {
    person: String,
    display_name: String,
    hub_operator: i64,
    used_at_ms: i64,
}

#[derive(sqlx::FromRow)]
struct LiveRow {
    person: String,
    began_at_ms: i64,
    used_at_ms: i64,
    ends_at_ms: i64,
    came_from: String,
    way: String,
}

impl Ledger {
    /// Keeps a session that begins, and forgets those that have ended.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] if the person is not there, is disabled, or was changed since they showed who they are.
    pub async fn begin_session(&self, new: &NewSession, by: &By) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let stamp: Option<i64> = query_scalar("SELECT stamp FROM people WHERE person = $1 AND disabled_at_ms IS NULL")
                    .bind(new.person.as_str())
                    .locked()
                    .fetch_optional(&mut transaction)
                    .await?;
                if stamp != Some(new.stamp) {
                    return Err(nobody(&new.person));
                }
                let mut covered = make_room(&mut transaction, &new.person, by.now_ms).await?;
                covered.push(Covered::of_hub(CoveredKind::Session, new.hash.to_string()));
                query(
                    "INSERT INTO sessions (hash, person, began_at_ms, used_at_ms, idle_until_ms, ends_at_ms, came_from, way)
                     VALUES ($1, $2, $3, $3, $4, $5, $6, $7)",
                )
                .bind(new.hash.to_string())
                .bind(new.person.as_str())
                .bind(by.now_ms)
                .bind(by.now_ms + SESSION_IDLE_MS)
                .bind(by.now_ms + SESSION_MS_MAX)
                .bind(new.came_from.as_str())
                .bind(new.way.as_str())
                .execute(&mut transaction)
                .await?;
                let after = json!({ "from": new.came_from, "way": new.way });
                // Each partner where they are something sees it in its own trail; of somebody who is nothing anywhere, the hub alone.
                let partners: Vec<String> = query_scalar("SELECT DISTINCT partner FROM roles WHERE person = $1 ORDER BY partner")
                    .bind(new.person.as_str())
                    .fetch_all(&mut transaction)
                    .await?;
                let partners: Vec<PartnerName> = partners.iter().map(|name| parsed(name, "partner")).collect::<Result<_, _>>()?;
                let nobodys = partners.is_empty().then_some(None);
                for (place, partner) in partners.iter().map(Some).chain(nobodys).enumerate() {
                    let (subject, after) = (subject(&new.person), Some(after.clone()));
                    let act = Act { partner, action: "session.begin", subject, before: None, after };
                    // One entry vouches for the session's row.
                    match place {
                        0 => audit::append_over(&mut transaction, act, &covered, by).await?,
                        _ => audit::append(&mut transaction, act, by),
                    }
                }
                transaction.commit().await
            })
            .await
    }

    /// The session of a hash, if it is in force, and notes that it was used.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn session(&self, hash: Digest, now_ms: i64) -> Result<Option<StoredSession>, LedgerError> {
        let mut reader = self.store.read().await?;
        let row: Option<SessionRow> = query(
            "SELECT people.person, people.display_name, people.hub_operator, sessions.used_at_ms
             FROM sessions JOIN people ON people.person = sessions.person
             WHERE sessions.hash = $1 AND sessions.idle_until_ms > $2 AND sessions.ends_at_ms > $2 AND people.disabled_at_ms IS NULL",
        )
        .bind(hash.to_string())
        .bind(now_ms)
        .fetch_optional(&mut reader)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let roles: Vec<(String, String)> = query("SELECT partner, role FROM roles WHERE person = $1 ORDER BY partner, role")
            .bind(row.person.as_str())
            .fetch_all(&mut reader)
            .await?;
        let partners: Vec<String> = if row.hub_operator == 0 {
            Vec::new()
        } else {
            query_scalar("SELECT partner FROM partners ORDER BY partner").fetch_all(&mut reader).await?
        };
        drop(reader);
        if now_ms - row.used_at_ms >= TOUCH_EVERY_MS {
            self.touch_session(hash, now_ms).await?;
        }
        let role = |(partner, role): (String, String)| Ok::<_, LedgerError>((parsed(&partner, "partner")?, role));
        Ok(Some(StoredSession {
            person: parsed(&row.person, "person")?,
            display_name: row.display_name,
            hub_operator: row.hub_operator != 0,
            roles: roles.into_iter().map(role).collect::<Result<_, _>>()?,
            partners: partners.iter().map(|partner| parsed(partner, "partner")).collect::<Result<_, _>>()?,
        }))
    }

    async fn touch_session(&self, hash: Digest, now_ms: i64) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                // Only what is still in force is moved on: one that ended a moment ago is not brought back.
                query("UPDATE sessions SET used_at_ms = $2, idle_until_ms = $3 WHERE hash = $1 AND idle_until_ms > $2 AND used_at_ms < $2")
                    .bind(hash.to_string())
                    .bind(now_ms)
                    .bind(now_ms + SESSION_IDLE_MS)
                    .execute(&mut transaction)
                    .await?;
                transaction.commit().await
            })
            .await
    }

    /// Ends a session. One that has ended already is no error.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn end_session(&self, hash: Digest, by: &By) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let person: Option<String> = query_scalar("SELECT person FROM sessions WHERE hash = $1")
                    .bind(hash.to_string())
                    .locked()
                    .fetch_optional(&mut transaction)
                    .await?;
                let Some(person) = person else { return Ok(()) };
                query("DELETE FROM sessions WHERE hash = $1").bind(hash.to_string()).execute(&mut transaction).await?;
                let person: PersonName = parsed(&person, "person")?;
                let by = By { actor: Actor::person(person.as_str()), ..by.clone() };
                let act = Act { partner: None, action: "session.end", subject: subject(&person), before: None, after: None };
                let covered = [Covered::of_hub(CoveredKind::Session, hash.to_string())];
                audit::append_over(&mut transaction, act, &covered, &by).await?;
                transaction.commit().await
            })
            .await
    }

    /// Ends every session of a person. Answers how many there were.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`].
    pub async fn end_sessions(&self, person: &PersonName, by: &By) -> Result<u64, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let found = found(&mut transaction, person).await?;
                let mut covered = super::end_sessions(&mut transaction, person).await?;
                let ended = covered.len() as u64;
                covered.push(found);
                let after = Some(json!({ "sessions": ended }));
                let act = Act { partner: None, action: "session.end-all", subject: subject(person), before: None, after };
                audit::append_over(&mut transaction, act, &covered, by).await?;
                transaction.commit().await?;
                Ok(ended)
            })
            .await
    }

    /// Sessions in force, of one person or of all, newest first.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn live_sessions(&self, person: Option<&PersonName>, now_ms: i64) -> Result<Vec<LiveSession>, LedgerError> {
        let rows: Vec<LiveRow> = query(
            "SELECT person, began_at_ms, used_at_ms, ends_at_ms, came_from, way FROM sessions
             WHERE ($1 = '' OR person = $1) AND idle_until_ms > $2 AND ends_at_ms > $2 ORDER BY began_at_ms DESC, hash",
        )
        .bind(person.map_or("", PersonName::as_str))
        .bind(now_ms)
        .fetch_all(&self.store)
        .await?;
        let live = |row: LiveRow| {
            let LiveRow { person, began_at_ms, used_at_ms, ends_at_ms, came_from, way } = row;
            Ok(LiveSession { person: parsed(&person, "person")?, began_at_ms, used_at_ms, ends_at_ms, came_from, way })
        };
        rows.into_iter().map(live).collect()
    }
}

/// Forgets sessions that have ended, and the one of a person that was used longest ago where they have too many: answers those.
async fn make_room(transaction: &mut Transaction, person: &PersonName, now_ms: i64) -> Result<Vec<Covered>, LedgerError> {
    query("DELETE FROM sessions WHERE idle_until_ms <= $1 OR ends_at_ms <= $1").bind(now_ms).execute(transaction).await?;
    let kept: Vec<String> = query_scalar("SELECT hash FROM sessions WHERE person = $1 ORDER BY used_at_ms DESC, hash")
        .bind(person.as_str())
        .fetch_all(&mut *transaction)
        .await?;
    let mut ended = Vec::new();
    for hash in kept.into_iter().skip(SESSIONS_OF_PERSON_MAX - 1) {
        query("DELETE FROM sessions WHERE hash = $1").bind(hash.as_str()).execute(transaction).await?;
        ended.push(Covered::of_hub(CoveredKind::Session, hash));
    }
    Ok(ended)
}
