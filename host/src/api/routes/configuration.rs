//! What a partner declares: read as it is in force, planned, and put in force as it was planned.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Action;
use crate::api::answer::{Bearer, Body, Problem, Single};
use crate::run::{Files, Hub, Plan};

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(configuration)).routes(routes!(plan_configuration)).routes(routes!(apply_configuration))
}

#[derive(Serialize, ToSchema)]
struct ConfigurationJson {
    /// Each file by its path within the configuration, such as jobs/lgps-monthly-return.toml.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    files: Files,
}

/// The files that declare what is in force at the partner. Rows of tables are at their own addresses.
#[utoipa::path(
    get, path = "/api/v1/configuration", tag = "configuration",
    responses((status = 200, description = "The files.", body = ConfigurationJson, headers(("ETag" = String, description = "For If-None-Match."))))
)]
async fn configuration(State(hub): State<Hub>, Bearer(caller): Bearer) -> Result<Single<ConfigurationJson>, Problem> {
    caller.may(Action::Configure)?;
    Ok(Single(ConfigurationJson { files: hub.configuration_in_force(caller.partner()).await? }))
}

/// The files that are to be in force.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PlanBody {
    /// Each by its path: partners.toml, connections.toml, webhooks.toml, jobs/*.toml, tables/*.toml and tables/*.csv.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    files: Files,
}

/// The files that are to be in force, and the plan that was read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApplyBody {
    /// As they were planned.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    files: Files,
    /// The code of the plan, as planning them answered it.
    plan: String,
}

#[derive(Serialize, ToSchema)]
struct ConfigurationChangeJson {
    /// partner, source, connection, webhook or job.
    what: &'static str,
    name: String,
    /// added, changed or removed.
    how: &'static str,
}

/// A change that one person proposed, for another to approve.
#[derive(Serialize, ToSchema)]
struct ConfigurationProposalJson {
    /// Its number, once it is proposed.
    number: Option<u64>,
    /// Whether it waited before.
    waited: bool,
    /// What is different, a line each.
    difference: Vec<String>,
}

#[derive(Serialize, ToSchema)]
struct ConfigurationPlanJson {
    /// Stands for these files on what is in force now. To be sent with them to have them applied; none where they have been.
    plan: Option<String>,
    /// Every difference as a line, as the command line has it; none where the files are what is in force.
    lines: Vec<String>,
    /// What is, or would be, different at once.
    changes: Vec<ConfigurationChangeJson>,
    /// Versions of tables that are new.
    tables: Vec<String>,
    /// What is protected, and takes a second person.
    proposed: Vec<ConfigurationProposalJson>,
    /// Releases in use that could not work with what they are lent by this, each a sentence. It is told, and keeps nothing back.
    starved: Vec<String>,
}

impl ConfigurationPlanJson {
    fn new(plan: Plan, code: Option<String>) -> Self {
        let lines = plan.lines();
        let changes = plan.partners.into_iter().flat_map(|(_, applied)| applied.changes);
        let proposed = plan.proposed.into_iter();
        Self {
            plan: code,
            lines,
            changes: changes
                .map(|change| ConfigurationChangeJson { what: change.what, name: change.name, how: change.how.as_str() })
                .collect(),
            tables: plan.tables,
            starved: plan.starved,
            proposed: proposed
                .map(|of| ConfigurationProposalJson { number: of.number, waited: of.waited, difference: of.difference })
                .collect(),
        }
    }
}

/// Tells what putting files in force would change. Nothing is changed: where there is no difference, there is no drift.
///
/// The files are all that the partner declares: a job or webhook that is not among them would be removed. Left out, partners.toml and connections.toml stay as they are.
#[utoipa::path(
    post, path = "/api/v1/configuration/plan", tag = "configuration", request_body = PlanBody,
    responses((status = 200, description = "The difference, and the code of this plan.", body = ConfigurationPlanJson), (status = 409, description = "A job does not fit its plugin, or a version of a table is kept with other rows."), (status = 422, description = "A file is wrong, or goes beyond what a partner may declare."))
)]
async fn plan_configuration(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Body(body): Body<PlanBody>,
) -> Result<Json<ConfigurationPlanJson>, Problem> {
    caller.may(Action::Configure)?;
    let by = caller.by(hub.id(), hub.clock().now_ms());
    let (plan, code) = hub.plan_posted(caller.partner(), &body.files, &by).await?;
    Ok(Json(ConfigurationPlanJson::new(plan, Some(code.to_string()))))
}

/// Puts files in force as they were planned, all of them or none; what takes a second person is proposed.
#[utoipa::path(
    post, path = "/api/v1/configuration/apply", tag = "configuration", request_body = ApplyBody,
    responses((status = 200, description = "What was changed.", body = ConfigurationPlanJson), (status = 409, description = "A job does not fit its plugin, or a version of a table is kept with other rows."), (status = 412, description = "The files, or what is in force, are not what was planned."), (status = 422, description = "A file is wrong, or goes beyond what a partner may declare."))
)]
async fn apply_configuration(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Body(body): Body<ApplyBody>,
) -> Result<Json<ConfigurationPlanJson>, Problem> {
    caller.may(Action::Configure)?;
    let by = caller.by(hub.id(), hub.clock().now_ms());
    Ok(Json(ConfigurationPlanJson::new(hub.apply_posted(caller.partner(), (&body.files, &body.plan), &by).await?, None)))
}
