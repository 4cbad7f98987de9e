//! How things stand, for a component whose policy lets it see that: everything is read by its own login.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sea_orm::{DbErr, EntityTrait as _, FromQueryResult, QueryOrder as _, QuerySelect as _};
use serde::Serialize;
use strongroom::entity::{key, policy as policy_row};
use strongroom::migration::Migrator;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access_row::AccessRow;
use crate::caller::Caller;
use crate::extension::Routes;
use crate::problem::Problem;
use crate::refusal::Refusal;
use crate::service::Service;
use strongroom::audit::Action;
use strongroom::key::{Generation, KeyState};
use strongroom::schema::{self, SchemaError};

/// The state of schema, keys and policies.
pub(super) struct States;

impl Routes for States {
    fn package(&self) -> &'static str {
        "status"
    }

    fn routes(&self) -> OpenApiRouter<Arc<Service>> {
        OpenApiRouter::new()
            .routes(routes!(migrations))
            .routes(routes!(keys))
            .routes(routes!(policy))
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::STATUS]
    }

    fn access(&self) -> &'static [AccessRow] {
        const {
            &[
                AccessRow::get("/v1/status/migrations"),
                AccessRow::get("/v1/status/keys"),
                AccessRow::get("/v1/status/policy"),
            ]
        }
    }
}

/// Where the schema stands.
#[derive(Serialize, ToSchema)]
struct Migrations {
    migrations: Vec<Step>,
    /// Steps that are left.
    pending: usize,
}

/// A step of the schema.
#[derive(Serialize, ToSchema)]
struct Step {
    number: usize,
    name: String,
    applied: bool,
}

/// Where the schema stands
#[utoipa::path(get, path = "/v1/status/migrations", operation_id = "status_of_migrations", tag = "status", responses(
    (status = 200, description = "The steps", body = Migrations), crate::responses::Refusals))]
async fn migrations(caller: Caller) -> Result<Json<Migrations>, Problem> {
    let status = match schema::status(caller.database(), &Migrator::without_keys().steps()).await {
        Ok(status) => status,
        Err(error) => {
            return Err(caller.refused(Action::STATUS, "migrations", refusal(error)).await);
        }
    };
    let steps = status.migrations.into_iter().map(|step| Step {
        number: step.number,
        name: step.name,
        applied: step.applied,
    });
    Ok(Json(Migrations { migrations: steps.collect(), pending: status.pending }))
}

fn refusal(error: SchemaError) -> Refusal {
    match error {
        SchemaError::Database(error) => error.into(),
        error => {
            let detail = error.to_string();
            Problem::new(axum::http::StatusCode::CONFLICT, "schema", detail).into()
        }
    }
}

/// The ring's generations.
#[derive(Serialize, ToSchema)]
struct Keys {
    generations: Vec<OfGeneration>,
}

/// A generation of data keys.
#[derive(Serialize, ToSchema)]
struct OfGeneration {
    generation: u32,
    /// `active`, `decrypt_only`, `closed` or `retired`.
    #[schema(value_type = String)]
    state: KeyState,
    /// How many data keys it has: one for each project.
    keys: usize,
}

#[derive(FromQueryResult)]
struct KeyRow {
    purpose: String,
    generation: i32,
}

/// The ring's generations and their keys
#[utoipa::path(get, path = "/v1/status/keys", operation_id = "status_of_keys", tag = "status", responses(
    (status = 200, description = "The generations", body = Keys), crate::responses::Refusals))]
async fn keys(caller: Caller) -> Result<Json<Keys>, Problem> {
    let read: Result<Vec<KeyRow>, DbErr> = async {
        let columns = [key::Column::Purpose, key::Column::Generation];
        key::Entity::find().select_only().columns(columns).into_model().all(caller.database()).await
    }
    .await;
    let rows = match read {
        Ok(rows) => rows,
        Err(error) => return Err(caller.refused(Action::STATUS, "keys", error).await),
    };
    let count = |generation: Generation| {
        rows.iter()
            .filter(|row| {
                row.purpose == "data" && Generation::try_from(row.generation) == Ok(generation)
            })
            .count()
    };
    // The manifest is authentic; what the rows say is not.
    let manifest = caller.keys().manifest();
    let generations = manifest.generations.iter().map(|of| OfGeneration {
        generation: of.generation.number(),
        state: of.state,
        keys: count(of.generation),
    });
    Ok(Json(Keys { generations: generations.collect() }))
}

/// Policies, the one in force last.
#[derive(Serialize, ToSchema)]
struct Policies {
    policies: Vec<PolicyRow>,
    /// The components of the policy in force.
    components: Vec<String>,
}

/// A policy that was put in force.
#[derive(Serialize, ToSchema)]
struct PolicyRow {
    number: i64,
    /// The version that a migration brought, or that a command built on.
    version: i32,
    /// `migration` or `command`.
    source: String,
}

/// The policies that were put in force
#[utoipa::path(get, path = "/v1/status/policy", operation_id = "status_of_policy", tag = "status", responses(
    (status = 200, description = "The policies", body = Policies), crate::responses::Refusals))]
async fn policy(
    State(service): State<Arc<Service>>,
    caller: Caller,
) -> Result<Json<Policies>, Problem> {
    let rows = policy_row::Entity::find()
        .order_by_asc(policy_row::Column::Number)
        .all(caller.database())
        .await;
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => return Err(caller.refused(Action::STATUS, "policy", error).await),
    };
    let policies = rows.into_iter().map(|row| PolicyRow {
        number: row.number,
        version: row.version,
        source: row.source,
    });
    let components = service.policy().components.keys().cloned().collect();
    Ok(Json(Policies { policies: policies.collect(), components }))
}
