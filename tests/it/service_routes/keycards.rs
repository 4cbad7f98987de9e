//! A package of routes as somebody else would write it: one route, one audit action, one barrier. It uses what
//! `strongroom-api` promises and nothing else.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use strongroom::audit::{Action, Barrier};
use strongroom_api::responses::Refusals;
use strongroom_api::{AccessRow, Body, Caller, ErrorShape, Problem, Refusal, Routes, Service};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const ISSUE: Action = Action::new("issue_keycard");
const DOORS: Barrier = Barrier::new("doors");

pub struct Keycards {
    pub actions: &'static [Action],
    pub barriers: &'static [Barrier],
    pub shape: Option<ErrorShape>,
}

impl Default for Keycards {
    fn default() -> Self {
        Self { actions: &[ISSUE], barriers: &[DOORS], shape: None }
    }
}

impl Routes for Keycards {
    fn package(&self) -> &'static str {
        "keycards"
    }

    fn routes(&self) -> OpenApiRouter<Arc<Service>> {
        OpenApiRouter::new().routes(routes!(issue))
    }

    fn actions(&self) -> &'static [Action] {
        self.actions
    }

    fn barriers(&self) -> &'static [Barrier] {
        self.barriers
    }

    fn access(&self) -> &'static [AccessRow] {
        const { &[AccessRow::post("/v1/keycards").with_body(r#"{"door":"lobby"}"#)] }
    }

    fn error_shape(&self) -> Option<ErrorShape> {
        self.shape
    }
}

/// The door that the card is for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct KeycardWanted {
    door: String,
}

/// A card.
#[derive(Serialize, ToSchema)]
struct Keycard {
    holder: String,
    door: String,
}

/// Issue a keycard to the caller
#[utoipa::path(post, path = "/v1/keycards", operation_id = "issue_keycard", tag = "keycards", request_body = KeycardWanted, responses(
    (status = 200, description = "The card", body = Keycard), Refusals))]
async fn issue(
    caller: Caller,
    Body(KeycardWanted { door }): Body<KeycardWanted>,
) -> Result<Json<Keycard>, Problem> {
    if door == "vault" {
        let refusal =
            Refusal::new(DOORS, StatusCode::FORBIDDEN, "closed_door", "nobody gets into the vault");
        return Err(caller.refused(ISSUE, &door, refusal).await);
    }
    caller.done(ISSUE, [door.clone()]).await?;
    Ok(Json(Keycard { holder: caller.component().name().to_owned(), door }))
}
