//! Cases put to rule sets, and decided at once.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Action;
use crate::api::answer::{Bearer, Body, Code, Named, Problem};
use crate::model::ids::PluginName;
use crate::model::limits::{CASES_PER_REQUEST_MAX, DECISIONS_MS_MAX};
use crate::registry::cases::DecisionJson;
use crate::run::{Hub, Question};

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(decide))
}

/// One case, or a list of them; either, and not both.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DecisionsBody {
    /// One case, as the rule set's schema has it.
    case: Option<Value>,
    /// Several cases, each decided by itself.
    cases: Option<Vec<Value>>,
    /// Settings that the rule set declares.
    #[serde(default)]
    settings: Option<Value>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case", untagged)]
enum DecisionAnswer {
    /// It was decided.
    Decided {
        /// The release that decided: the digest of its component.
        release: String,
        /// The decision, with its reasons and the versions of the tables that it rests on.
        #[schema(value_type = Object)]
        decision: DecisionJson,
    },
    /// It was not; the others were.
    Refused {
        /// Why not.
        problem: Problem,
    },
}

#[derive(Serialize, ToSchema)]
struct Decisions {
    /// One answer a case, in their order.
    decisions: Vec<DecisionAnswer>,
}

/// Decides cases by the active release of a rule set.
///
/// Nothing is kept of it, so it may be sent again at any time. A case that is not decided is told in its place; the others are decided.
#[utoipa::path(
    post, path = "/api/v1/rule-sets/{name}/decisions", tag = "decisions", request_body = DecisionsBody,
    responses((status = 200, description = "One answer a case, in their order.", body = Decisions), (status = 422, description = "The settings are not what the rule set declares."))
)]
async fn decide(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(name): Named,
    Body(body): Body<DecisionsBody>,
) -> Result<Json<Decisions>, Problem> {
    caller.may(Action::Decide)?;
    let plugin: PluginName = name.parse().map_err(|_| Problem::not_found("rule set"))?;
    let cases = match (body.case, body.cases) {
        (Some(case), None) => vec![case],
        (None, Some(cases)) => cases,
        _ => return Err(Problem::new(Code::BadRequest, "send either \"case\" or \"cases\"")),
    };
    if cases.len() > CASES_PER_REQUEST_MAX {
        let sentence = format!("{} cases, and a request has at most {CASES_PER_REQUEST_MAX}", cases.len());
        return Err(Problem::new(Code::TooManyCases, sentence));
    }
    let question = Question {
        partner: caller.partner().clone(),
        plugin,
        settings: body.settings.unwrap_or_else(|| Value::Object(serde_json::Map::new())),
        within: std::time::Duration::from_millis(DECISIONS_MS_MAX),
    };
    let answers = hub.decide(&question, cases).await?.into_iter().map(|answer| match answer {
        Ok(decided) => DecisionAnswer::Decided { release: decided.release.to_string(), decision: DecisionJson::from(&decided.decision) },
        Err(error) => DecisionAnswer::Refused { problem: error.into() },
    });
    Ok(Json(Decisions { decisions: answers.collect() }))
}
