//! What a person is at a partner. The words are others' to understand.

use serde_json::json;

use super::{found, nobody, subject};
use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act, Covered};
use crate::ledger::declared::require_partner;
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Transaction, query, query_scalar};
use crate::ledger::who::By;
use crate::model::ids::{PartnerName, PersonName};

/// A role that somebody is to have, or to lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewRole<'a> {
    /// Where.
    pub partner: &'a PartnerName,
    /// Who.
    pub person: &'a PersonName,
    /// What.
    pub role: &'a str,
}

impl Ledger {
    /// Gives a person a role at a partner. Sessions read roles at each use, so they have it at once, and nothing has to end. Answers
    /// whether they did not have it.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] if there is no such partner or person.
    pub async fn grant_role(&self, role: NewRole<'_>, by: &By) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                require_partner(&mut transaction, role.partner).await?;
                let known: Option<i64> = query_scalar("SELECT stamp FROM people WHERE person = $1")
                    .bind(role.person.as_str())
                    .locked()
                    .fetch_optional(&mut transaction)
                    .await?;
                if known.is_none() {
                    return Err(nobody(role.person));
                }
                let covered = found(&mut transaction, role.person).await?;
                let written = query(
                    "INSERT INTO roles (partner, person, role, granted_at_ms, granted_by) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                )
                .bind(role.partner.as_str())
                .bind(role.person.as_str())
                .bind(role.role)
                .bind(by.now_ms)
                .bind(by.actor.as_str())
                .execute(&mut transaction)
                .await?;
                if written == 0 {
                    return Ok(false);
                }
                changed(&mut transaction, ("role.grant", role), (covered, by)).await?;
                transaction.commit().await?;
                Ok(true)
            })
            .await
    }

    /// Takes a role at a partner from a person, in the sessions too that they have; what they are elsewhere stays. Answers whether they
    /// had it.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn revoke_role(&self, role: NewRole<'_>, by: &By) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let covered = found(&mut transaction, role.person).await?;
                let removed = query("DELETE FROM roles WHERE partner = $1 AND person = $2 AND role = $3")
                    .bind(role.partner.as_str())
                    .bind(role.person.as_str())
                    .bind(role.role)
                    .execute(&mut transaction)
                    .await?;
                if removed == 0 {
                    return Ok(false);
                }
                changed(&mut transaction, ("role.revoke", role), (covered, by)).await?;
                transaction.commit().await?;
                Ok(true)
            })
            .await
    }
}

async fn changed(
    transaction: &mut Transaction,
    (action, role): (&str, NewRole<'_>),
    (person, by): (Covered, &By),
) -> Result<(), LedgerError> {
    let after = Some(json!({ "role": role.role }));
    let act = Act { partner: Some(role.partner), action, subject: subject(role.person), before: None, after };
    audit::append_over(transaction, act, &[person], by).await
}
