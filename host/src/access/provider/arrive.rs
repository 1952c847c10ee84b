//! Who came back from a provider, and what they may do here.

use std::collections::BTreeSet;
use std::net::IpAddr;

use secrecy::SecretString;
use serde_json::Value;

use super::{Provider, ProviderRefused};
use crate::access::Role;
use crate::access::session::{Door, SignInRefused};
use crate::ledger::{By, LedgerError, NewPerson, NewRole};
use crate::model::ids::{PartnerName, PersonName};

/// Longest account and display name that are kept, in characters.
const TEXT_CHARS_MAX: usize = 200;

/// Roles, each at its partner.
type RolesAt = BTreeSet<(PartnerName, Role)>;

impl Provider {
    /// Lets in whom the provider's claims name, if they are somebody here.
    pub(super) async fn let_in(&self, door: &Door<'_>, claims: &Value, from: Option<IpAddr>) -> Result<SecretString, ProviderRefused> {
        let issuer = || self.settings.issuer.clone();
        let text = |claim: &str| claims.get(claim).and_then(Value::as_str).filter(|text| text.chars().count() <= TEXT_CHARS_MAX);
        let name = text(&self.settings.name_claim).unwrap_or_default();
        let unknown = || ProviderRefused::Unknown { issuer: issuer(), name: name.to_owned() };
        let person = PersonName::typed(name).map_err(|_| unknown())?;
        let account = text("sub").ok_or_else(unknown)?;
        let account = format!("{account} at {}", self.settings.issuer);
        let by = By::hub(door.hub, door.now_ms);
        let (has, loses) = self.mapped(claims);

        let known = door.ledger.password_of(&person).await?;
        match &known {
            // Whoever has a password here signs in with it: a provider's word for a name opens nothing that a password guards.
            Some(known) if known.disabled || known.password.is_some() => return Err(unknown()),
            Some(_) => {}
            None if has.is_empty() => return Err(unknown()),
            None => self.add(door, (&person, text("name")), &by).await?,
        }
        if !door.ledger.account_is(&person, &account, &by).await? {
            return Err(ProviderRefused::OtherAccount { issuer: issuer(), person });
        }
        self.set_roles(door, &person, (&has, &loses)).await?;
        // As they are now, with the roles that they now have.
        let now = door.ledger.password_of(&person).await?.ok_or_else(unknown)?;
        door.let_in(&now, &self.settings.issuer, from).await.map_err(|refused| match refused {
            SignInRefused::Ledger(error) => ProviderRefused::Ledger(error),
            SignInRefused::Wrong | SignInRefused::Wait { .. } | SignInRefused::TooMany => unknown(),
        })
    }

    /// The roles that somebody's groups give them, and those that their groups would have to give them to be kept.
    fn mapped(&self, claims: &Value) -> (RolesAt, RolesAt) {
        let groups = claims.get(&self.settings.groups_claim).and_then(Value::as_array);
        let groups: BTreeSet<&str> = groups.into_iter().flatten().filter_map(Value::as_str).collect();
        let role = |mapped: &super::settings::MappedRole| (mapped.partner.clone(), mapped.role);
        let has: BTreeSet<_> = self.settings.roles.iter().filter(|mapped| groups.contains(mapped.group.as_str())).map(role).collect();
        let loses = self.settings.roles.iter().map(role).filter(|role| !has.contains(role)).collect();
        (has, loses)
    }

    async fn add(&self, door: &Door<'_>, (person, name): (&PersonName, Option<&str>), by: &By) -> Result<(), LedgerError> {
        let display_name: String = name.unwrap_or(person.as_str()).chars().filter(|c| !c.is_control()).take(100).collect();
        let new = NewPerson { name: person.clone(), display_name, email: None, password: None, hub_operator: false };
        match door.ledger.add_person(&new, by).await {
            // Two browsers came back at one moment.
            Err(LedgerError::AlreadyThere { .. }) => Ok(()),
            added => added,
        }
    }

    async fn set_roles(&self, door: &Door<'_>, person: &PersonName, (has, loses): (&RolesAt, &RolesAt)) -> Result<(), LedgerError> {
        let by = By::hub(door.hub, door.now_ms);
        for (partner, role) in has {
            door.ledger.grant_role(NewRole { partner, person, role: role.name() }, &by).await?;
        }
        for (partner, role) in loses {
            door.ledger.revoke_role(NewRole { partner, person, role: role.name() }, &by).await?;
        }
        Ok(())
    }
}
