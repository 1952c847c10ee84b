//! Keys with which other systems call the hub. The ledger sees their hashes only.

use super::Ledger;
use super::audit::{self, Act, Covered, CoveredKind};
use super::error::LedgerError;
use super::store::{Transaction, parsed, query, query_scalar};
use super::who::{Actor, By, HubId, Scope};
use crate::model::ids::{Digest, PartnerName};

/// How exact the last use of a token is kept: a write for every call would make each wait for the disk.
const TOUCH_EVERY_MS: i64 = 60_000;

/// How often it is noted that a token is used which may no longer be used: whoever has it may try it a thousand times a second.
const REFUSAL_EVERY_MS: i64 = 3_600_000;

/// A token to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// Whose.
    pub partner: PartnerName,
    /// What people call it.
    pub name: String,
    /// SHA-256 of the token, which has enough chance in it to need no more.
    pub hash: Digest,
    /// What it may be used for. Words without spaces.
    pub scopes: Vec<String>,
    /// From when on it is refused.
    pub expires_at_ms: Option<i64>,
}

/// A token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Whose.
    pub partner: PartnerName,
    /// What people call it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at_ms: i64,
    /// By whom.
    pub created_by: Actor,
    /// From when on it is refused.
    pub expires_at_ms: Option<i64>,
    /// When it was last used, to the minute.
    pub last_used_at_ms: Option<i64>,
    /// When it was revoked.
    pub revoked_at_ms: Option<i64>,
}

impl Token {
    /// Whether it may be used at a moment.
    #[must_use]
    pub fn is_valid(&self, now_ms: i64) -> bool {
        self.revoked_at_ms.is_none() && self.expires_at_ms.is_none_or(|expires| now_ms < expires)
    }
}

#[derive(sqlx::FromRow)]
struct TokenRow {
    partner: String,
    token: String,
    scopes: String,
    created_at_ms: i64,
    created_by: String,
    expires_at_ms: Option<i64>,
    last_used_at_ms: Option<i64>,
    revoked_at_ms: Option<i64>,
}

impl TryFrom<TokenRow> for Token {
    type Error = LedgerError;

    fn try_from(row: TokenRow) -> Result<Self, LedgerError> {
        Ok(Self {
            partner: parsed(&row.partner, "partner")?,
            name: row.token,
            scopes: row.scopes.split_whitespace().map(str::to_owned).collect(),
            created_at_ms: row.created_at_ms,
            created_by: Actor::stored(row.created_by),
            expires_at_ms: row.expires_at_ms,
            last_used_at_ms: row.last_used_at_ms,
            revoked_at_ms: row.revoked_at_ms,
        })
    }
}

const TOKENS: &str = "SELECT partner, token, scopes, created_at_ms, created_by, expires_at_ms, last_used_at_ms, revoked_at_ms FROM tokens";

impl Ledger {
    /// Keeps a new token.
    ///
    /// # Errors
    /// [`LedgerError::AlreadyThere`] if the partner has, or had, one of that name; [`LedgerError::NotFound`] if there is no such partner.
    pub async fn create_token(&self, new: &NewToken, by: &By) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                super::declared::require_partner(&mut transaction, &new.partner).await?;
                let scopes = new.scopes.join(" ");
                let written = query(
                    "INSERT INTO tokens (partner, token, hash, scopes, created_at_ms, created_by, expires_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
                )
                .bind(new.partner.as_str())
                .bind(new.name.as_str())
                .bind(new.hash.to_string())
                .bind(scopes.as_str())
                .bind(by.now_ms)
                .bind(by.actor.as_str())
                .bind(new.expires_at_ms)
                .execute(&mut transaction)
                .await?;
                if written == 0 {
                    return Err(LedgerError::AlreadyThere { what: "token", name: new.name.clone() });
                }
                let after = serde_json::json!({ "scopes": scopes, "expires-at-ms": new.expires_at_ms });
                let subject = format!("token:{}", new.name);
                let act = Act { partner: Some(&new.partner), action: "token.create", subject, before: None, after: Some(after) };
                let covered = [Covered::named(CoveredKind::Token, &new.partner, &new.name)];
                audit::append_over(&mut transaction, act, &covered, by).await?;
                transaction.commit().await?;
                Ok(())
            })
            .await
    }

    /// The token of a hash, whether or not it may still be used. Those who show it at the same time share one reading, which begins after
    /// all of them have shown it, or is of what still stands.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn token(&self, hash: Digest) -> Result<Option<Token>, LedgerError> {
        let read = async {
            let mut tokens = query(TOKENS);
            let row: Option<TokenRow> = tokens.push(" WHERE hash = ").push_bind(hash.to_string()).fetch_optional(&self.store).await?;
            row.map(Token::try_from).transpose()
        };
        self.tokens.ask(hash, || self.store.version(), read).await
    }

    /// Notes that a token was used which may no longer be used, unless that was noted within the last hour.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn refuse_token(&self, token: &Token, hub: &HubId, now_ms: i64) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let due = query(
                    "UPDATE tokens SET refused_at_ms = $3
                     WHERE partner = $1 AND token = $2 AND (refused_at_ms IS NULL OR refused_at_ms <= $4)",
                )
                .bind(token.partner.as_str())
                .bind(token.name.as_str())
                .bind(now_ms)
                .bind(now_ms - REFUSAL_EVERY_MS)
                .execute(&mut transaction)
                .await?;
                if due == 0 {
                    return Ok(());
                }
                let why = if token.revoked_at_ms.is_some() { "revoked" } else { "expired" };
                let (subject, after) = (format!("token:{}", token.name), Some(serde_json::json!({ "why": why })));
                let act = Act { partner: Some(&token.partner), action: "token.refuse", subject, before: None, after };
                audit::append(&mut transaction, act, &By::hub(hub, now_ms));
                transaction.commit().await
            })
            .await
    }

    /// Tokens, the revoked and expired ones too.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn tokens(&self, scope: Scope<'_>) -> Result<Vec<Token>, LedgerError> {
        let mut tokens = query(TOKENS).bind(scope.text());
        let rows: Vec<TokenRow> = tokens.push(" WHERE $1 = '' OR partner = $1 ORDER BY partner, token").fetch_all(&self.store).await?;
        rows.into_iter().map(Token::try_from).collect()
    }

    /// Notes that a token was used, unless that was noted within the last minute.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn touch_token(&self, token: &Token, now_ms: i64) -> Result<(), LedgerError> {
        if token.last_used_at_ms.is_some_and(|used| now_ms - used < TOUCH_EVERY_MS) {
            return Ok(());
        }
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                query("UPDATE tokens SET last_used_at_ms = $3 WHERE partner = $1 AND token = $2")
                    .bind(token.partner.as_str())
                    .bind(token.name.as_str())
                    .bind(now_ms)
                    .execute(&mut transaction)
                    .await?;
                transaction.commit().await?;
                Ok(())
            })
            .await
    }

    /// Refuses a token from now on.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] if there is no such token that was not revoked before.
    pub async fn revoke_token(&self, partner: &PartnerName, name: &str, by: &By) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let covered = [Covered::named(CoveredKind::Token, partner, name).found_before(&mut transaction).await?];
                let revoked = query("UPDATE tokens SET revoked_at_ms = $3 WHERE partner = $1 AND token = $2 AND revoked_at_ms IS NULL")
                    .bind(partner.as_str())
                    .bind(name)
                    .bind(by.now_ms)
                    .execute(&mut transaction)
                    .await?;
                if revoked == 0 {
                    return Err(LedgerError::NotFound { what: "token in use", name: name.to_owned() });
                }
                let act =
                    Act { partner: Some(partner), action: "token.revoke", subject: format!("token:{name}"), before: None, after: None };
                audit::append_over(&mut transaction, act, &covered, by).await?;
                transaction.commit().await?;
                Ok(())
            })
            .await
    }
}

/// Refuses that somebody decides on what they did themselves. What a token does, whoever made it does.
pub(super) async fn refuse_own(transaction: &mut Transaction, (did, what): (&Actor, &'static str), by: &By) -> Result<(), LedgerError> {
    let actor = behind(transaction, &by.actor).await?;
    if actor != behind(transaction, did).await? {
        return Ok(());
    }
    let mut tokens: Vec<&str> = [&by.actor, did].into_iter().filter(|one| **one != actor).map(Actor::as_str).collect();
    tokens.dedup();
    let through = if tokens.is_empty() { String::new() } else { format!(", who stands behind {},", tokens.join(" and ")) };
    Err(LedgerError::OwnWork { actor, through, what })
}

/// Who stands behind an actor: behind a token whoever made it, and so on until it is no token.
async fn behind(transaction: &mut Transaction, actor: &Actor) -> Result<Actor, LedgerError> {
    let mut line = vec![actor.clone()];
    while let Some((partner, token)) = line.last().and_then(Actor::of_token) {
        let made_by: Option<String> = query_scalar("SELECT created_by FROM tokens WHERE partner = $1 AND token = $2")
            .bind(partner)
            .bind(token)
            .fetch_optional(&mut *transaction)
            .await?;
        // Rows that were written past the hub may name each other.
        match made_by.map(Actor::stored).filter(|next| !line.contains(next)) {
            Some(next) => line.push(next),
            None => break,
        }
    }
    Ok(line.pop().expect("it begins with the actor"))
}
