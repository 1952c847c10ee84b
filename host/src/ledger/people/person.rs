//! A person as they are kept, and what changes of them. Each change of these ends their sessions.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::{end_sessions, found, nobody, subject};
use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act, Covered};
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Transaction, parsed, query};
use crate::ledger::who::{Actor, By, Scope};
use crate::model::ids::{PartnerName, PersonName};

/// A person to be kept.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// The name under which they sign in.
    pub name: PersonName,
    /// The name by which others know them.
    pub display_name: String,
    /// Where they are written to.
    pub email: Option<String>,
    /// The hash of their password; none if they sign in elsewhere, or have yet to be given one.
    pub password: Option<SecretString>,
    /// Whether they keep the hub itself.
    pub hub_operator: bool,
}

/// A person as they are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name under which they sign in.
    pub name: PersonName,
    /// The name by which others know them.
    pub display_name: String,
    /// Where they are written to.
    pub email: Option<String>,
    /// Whether they have a password.
    pub has_password: bool,
    /// Whether they keep the hub itself.
    pub hub_operator: bool,
    /// When they were added.
    pub added_at_ms: i64,
    /// By whom.
    pub added_by: Actor,
    /// From when on they may not sign in.
    pub disabled_at_ms: Option<i64>,
    /// What they are where, by partner: of one partner only where one partner asks.
    pub roles: Vec<(PartnerName, String)>,
}

/// What somebody shows to be a person, as it is kept.
#[derive(Debug, Clone)]
pub struct PasswordKept {
    /// The person.
    pub person: PersonName,
    /// The hash of their password; none if they have none.
    pub password: Option<SecretString>,
    /// Whether they may sign in at all.
    pub disabled: bool,
    /// To be shown when their session begins: a change in between ends it before it began.
    pub stamp: i64,
}

#[derive(sqlx::FromRow)]
struct PersonRow {
    person: String,
    display_name: String,
    email: Option<String>,
    has_password: i64,
    hub_operator: i64,
    added_at_ms: i64,
    added_by: String,
    disabled_at_ms: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct PasswordRow {
    password: Option<String>,
    disabled_at_ms: Option<i64>,
    stamp: i64,
}

impl TryFrom<PersonRow> for Person {
    type Error = LedgerError;

    fn try_from(row: PersonRow) -> Result<Self, LedgerError> {
        Ok(Self {
            name: parsed(&row.person, "person")?,
            display_name: row.display_name,
            email: row.email,
            has_password: row.has_password != 0,
            hub_operator: row.hub_operator != 0,
            added_at_ms: row.added_at_ms,
            added_by: Actor::stored(row.added_by),
            disabled_at_ms: row.disabled_at_ms,
            roles: Vec::new(),
        })
    }
}

impl Ledger {
    /// Keeps a new person, who may do nothing yet.
    ///
    /// # Errors
    /// [`LedgerError::AlreadyThere`] if there is, or was, one of that name.
    pub async fn add_person(&self, new: &NewPerson, by: &By) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let covered = vec![found(&mut transaction, &new.name).await?];
                let written = query(
                    "INSERT INTO people (person, display_name, email, password, hub_operator, added_at_ms, added_by)
                     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
                )
                .bind(new.name.as_str())
                .bind(new.display_name.as_str())
                .bind(new.email.as_deref())
                .bind(new.password.as_ref().map(ExposeSecret::expose_secret))
                .bind(i64::from(new.hub_operator))
                .bind(by.now_ms)
                .bind(by.actor.as_str())
                .execute(&mut transaction)
                .await?;
                if written == 0 {
                    return Err(LedgerError::AlreadyThere { what: "person", name: new.name.to_string() });
                }
                let after = json!({ "hub-operator": new.hub_operator, "password": new.password.is_some() });
                note(&mut transaction, ("person.add", &new.name), Some(after), (covered, by)).await?;
                transaction.commit().await
            })
            .await
    }

    /// People, by name: all of them, or those who have a role at a partner.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn people(&self, scope: Scope<'_>) -> Result<Vec<Person>, LedgerError> {
        let mut reader = self.store.read().await?;
        let rows: Vec<PersonRow> = query(
            "SELECT person, display_name, email, CAST(CASE WHEN password IS NULL THEN 0 ELSE 1 END AS BIGINT) AS has_password, hub_operator,
               added_at_ms, added_by, disabled_at_ms
             FROM people
             WHERE $1 = '' OR EXISTS (SELECT 1 FROM roles WHERE roles.person = people.person AND roles.partner = $1) ORDER BY person",
        )
        .bind(scope.text())
        .fetch_all(&mut reader)
        .await?;
        let roles: Vec<(String, String, String)> =
            query("SELECT person, partner, role FROM roles WHERE $1 = '' OR partner = $1 ORDER BY person, partner, role")
                .bind(scope.text())
                .fetch_all(&mut reader)
                .await?;
        let mut people: Vec<Person> = rows.into_iter().map(Person::try_from).collect::<Result<_, _>>()?;
        for (person, partner, role) in roles {
            if let Ok(place) = people.binary_search_by(|known| known.name.as_str().cmp(&person)) {
                people[place].roles.push((parsed(&partner, "partner")?, role));
            }
        }
        Ok(people)
    }

    /// What somebody has to show to be a person.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn password_of(&self, person: &PersonName) -> Result<Option<PasswordKept>, LedgerError> {
        let row: Option<PasswordRow> = query("SELECT password, disabled_at_ms, stamp FROM people WHERE person = $1")
            .bind(person.as_str())
            .fetch_optional(&self.store)
            .await?;
        Ok(row.map(|row| PasswordKept {
            person: person.clone(),
            password: row.password.map(SecretString::from),
            disabled: row.disabled_at_ms.is_some(),
            stamp: row.stamp,
        }))
    }

    /// Gives a person another password, by its hash, and ends their sessions.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`].
    pub async fn set_password(&self, person: &PersonName, hash: &SecretString, by: &By) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let mut covered = vec![found(&mut transaction, person).await?];
                let changed = query("UPDATE people SET password = $2 WHERE person = $1")
                    .bind(person.as_str())
                    .bind(hash.expose_secret())
                    .execute(&mut transaction)
                    .await?;
                if changed == 0 {
                    return Err(nobody(person));
                }
                covered.extend(end_sessions(&mut transaction, person).await?);
                note(&mut transaction, ("person.password", person), None, (covered, by)).await?;
                transaction.commit().await
            })
            .await
    }

    /// Lets a person sign in no longer, or again, and ends their sessions. Answers whether that changes anything.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`].
    pub async fn disable_person(&self, person: &PersonName, disabled: bool, by: &By) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let mut covered = vec![found(&mut transaction, person).await?];
                let was: Option<Option<i64>> = disabled_since(&mut transaction, person).await?;
                let Some(was) = was else { return Err(nobody(person)) };
                if was.is_some() == disabled {
                    return Ok(false);
                }
                query("UPDATE people SET disabled_at_ms = $2 WHERE person = $1")
                    .bind(person.as_str())
                    .bind(disabled.then_some(by.now_ms))
                    .execute(&mut transaction)
                    .await?;
                covered.extend(end_sessions(&mut transaction, person).await?);
                let action = if disabled { "person.disable" } else { "person.enable" };
                note(&mut transaction, (action, person), None, (covered, by)).await?;
                transaction.commit().await?;
                Ok(true)
            })
            .await
    }

    /// Says whether a person keeps the hub itself, and ends their sessions.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`].
    pub async fn set_hub_operator(&self, person: &PersonName, operator: bool, by: &By) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let mut covered = vec![found(&mut transaction, person).await?];
                let changed = query("UPDATE people SET hub_operator = $2 WHERE person = $1")
                    .bind(person.as_str())
                    .bind(i64::from(operator))
                    .execute(&mut transaction)
                    .await?;
                if changed == 0 {
                    return Err(nobody(person));
                }
                covered.extend(end_sessions(&mut transaction, person).await?);
                let after = json!({ "hub-operator": operator });
                note(&mut transaction, ("person.hub-operator", person), Some(after), (covered, by)).await?;
                transaction.commit().await
            })
            .await
    }
}

async fn disabled_since(transaction: &mut Transaction, person: &PersonName) -> Result<Option<Option<i64>>, LedgerError> {
    let row: Option<(Option<i64>,)> =
        query("SELECT disabled_at_ms FROM people WHERE person = $1").bind(person.as_str()).locked().fetch_optional(transaction).await?;
    Ok(row.map(|(since,)| since))
}

async fn note(
    transaction: &mut Transaction,
    (action, person): (&str, &PersonName),
    after: Option<Value>,
    (covered, by): (Vec<Covered>, &By),
) -> Result<(), LedgerError> {
    let act = Act { partner: None, action, subject: subject(person), before: None, after };
    audit::append_over(transaction, act, &covered, by).await
}
