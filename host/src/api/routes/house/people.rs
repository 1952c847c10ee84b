//! People of the partner: who they are here, and their roles. They sign in to the pages; programs call with tokens.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Action, Role};
use crate::api::answer::{Asked, Bearer, Named, Page, Problem, Wanted};
use crate::api::wire::moment;
use crate::ledger::{NewRole, Person};
use crate::model::ids::{PartnerName, PersonName};
use crate::run::Hub;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(people)).routes(routes!(grant_role, revoke_role))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PeopleQuery {
    cursor: Option<String>,
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct PersonJson {
    /// The name under which they sign in.
    name: String,
    display_name: String,
    email: Option<String>,
    /// What they are at this partner: viewer, operator, approver, admin.
    roles: Vec<String>,
    added_at: String,
    /// From when on they may not sign in.
    disabled_at: Option<String>,
}

impl PersonJson {
    fn new(person: &Person, partner: &PartnerName) -> Self {
        let here = person.roles.iter().filter(|(at, _)| at == partner);
        Self {
            name: person.name.to_string(),
            display_name: person.display_name.clone(),
            email: person.email.clone(),
            roles: here.map(|(_, role)| role.clone()).collect(),
            added_at: moment(person.added_at_ms),
            disabled_at: person.disabled_at_ms.map(moment),
        }
    }
}

/// Lists the people who have a role at the partner.
#[utoipa::path(
    get, path = "/api/v1/people", tag = "access", params(PeopleQuery),
    responses((status = 200, description = "People, by name.", body = Page<PersonJson>))
)]
async fn people(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Asked(query): Asked<PeopleQuery>,
) -> Result<Json<Page<PersonJson>>, Problem> {
    caller.may(Action::ManagePeople)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let all = hub.ledger().people(caller.scope()).await?;
    let page = Page::cut(all, &wanted, |person| person.name.to_string())?;
    Ok(Json(page.map(|person| PersonJson::new(person, caller.partner()))))
}

fn named(person: &str, role: &str) -> Result<(PersonName, Role), Problem> {
    let person = person.parse().map_err(|_| Problem::not_found("person"))?;
    Ok((person, role.parse().map_err(|_| Problem::not_found("role"))?))
}

/// Gives a person a role at the partner, in the sessions too that they have. One who has it keeps it.
#[utoipa::path(
    put, path = "/api/v1/people/{person}/roles/{role}", tag = "access",
    responses((status = 204, description = "They have the role."))
)]
async fn grant_role(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named((person, role)): Named<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.may(Action::ManagePeople)?;
    let (person, role) = named(&person, &role)?;
    let role = NewRole { partner: caller.partner(), person: &person, role: role.name() };
    hub.ledger().grant_role(role, &caller.by(hub.id(), hub.clock().now_ms())).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a role at the partner from a person, in the sessions too that they have. One who has it not is left as they are.
#[utoipa::path(
    delete, path = "/api/v1/people/{person}/roles/{role}", tag = "access",
    responses((status = 204, description = "They have the role no more."))
)]
async fn revoke_role(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named((person, role)): Named<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.may(Action::ManagePeople)?;
    let (person, role) = named(&person, &role)?;
    let role = NewRole { partner: caller.partner(), person: &person, role: role.name() };
    hub.ledger().revoke_role(role, &caller.by(hub.id(), hub.clock().now_ms())).await?;
    Ok(StatusCode::NO_CONTENT)
}
