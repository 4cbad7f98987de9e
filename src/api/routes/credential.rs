//! `/v1/credentials`: what the command line does with credentials, over HTTPS, by the caller's own login.

mod shape;

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use serde_json::Value;
use strongroom::entity::credential::SecretKey;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::shape::{NewBody, Reveal, Row, Rows, Shown, Wanted, Which};
use crate::access_row::AccessRow;
use crate::body::Body;
use crate::caller::Caller;
use crate::extension::Routes;
use crate::path::{PathOf, parts};
use crate::problem::Problem;
use crate::query::Parameters;
use crate::service::Service;
use strongroom::audit::Action;
use strongroom::credential::{self, Filter, NewCredential, StoreError};

/// What a path names.
pub(super) const WHAT: &str = "credential";

/// The credentials, as the command line has them.
pub(super) struct Credentials;

impl Routes for Credentials {
    fn package(&self) -> &'static str {
        "credentials"
    }

    fn routes(&self) -> OpenApiRouter<Arc<Service>> {
        OpenApiRouter::new()
            .routes(routes!(create, list))
            .routes(routes!(show, remove))
            .routes(routes!(find))
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::REVEAL, Action::CREATE, Action::DELETE, Action::READ]
    }

    fn access(&self) -> &'static [AccessRow] {
        const {
            &[
                AccessRow::get("/v1/credentials"),
                AccessRow::post("/v1/credentials")
                    .with_body(r#"{"user_id":"carol","type":"totp"}"#),
                AccessRow::get("/v1/credentials/{id}").asking("/v1/credentials/row-000001"),
                AccessRow::get("/v1/credentials/{id}")
                    .asking("/v1/credentials/row-000001?reveal=true"),
                AccessRow::delete("/v1/credentials/{id}").asking("/v1/credentials/nothing"),
                AccessRow::post("/v1/credentials/find").with_body(r#"{"access":"nothing"}"#),
            ]
        }
    }
}

/// Store a credential; the answer shows its secret this once
#[utoipa::path(post, path = "/v1/credentials", operation_id = "create_credential", tag = "credentials", request_body = NewBody, responses(
    (status = 201, description = "It is stored, and this is its secret", body = Shown), (status = 409, description = "The access key is taken", body = Problem, content_type = "application/problem+json"),
    crate::responses::Refusals))]
async fn create(
    caller: Caller,
    Body(body): Body<NewBody>,
) -> Result<(StatusCode, Json<Shown>), Problem> {
    let mut new =
        match NewCredential::make(body.user_id, body.r#type.unwrap_or_else(|| "ec2".to_owned())) {
            Ok(new) => new,
            Err(error) => return Err(caller.refused(Action::CREATE, "", error).await),
        };
    new.project_id = body.project_id;
    new.extra = body.extra.map(|extra| Value::Object(extra).to_string());
    new.access = body.access.or(new.access);
    new.secret = body.secret.unwrap_or(new.secret);
    store(&caller, &new).await?;
    let NewCredential { id, user_id, project_id, kind, access, secret, .. } = new;
    Ok((
        StatusCode::CREATED,
        Json(Shown { id, user_id, project_id, r#type: kind, access, secret: Some(secret) }),
    ))
}

/// The store takes what other systems left behind; what is made here is whole.
fn require_sense(new: &NewCredential) -> Result<(), Problem> {
    let access = new.access.as_ref().map(|access| access.as_str());
    let texts = [
        ("user_id", Some(new.user_id.as_str())),
        ("project_id", new.project_id.as_deref()),
        ("type", Some(&new.kind)),
        ("access", access),
        ("secret", Some(&new.secret)),
    ];
    match texts.into_iter().find(|(_, text)| text.is_some_and(str::is_empty)) {
        Some((name, _)) => Err(Problem::malformed(format!("`{name}` must not be empty"))),
        None => Ok(()),
    }
}

/// Stores it and writes that down. A secret that cannot be shown is of no use to anybody: the row goes again.
pub(super) async fn store(caller: &Caller, new: &NewCredential) -> Result<(), Problem> {
    require_sense(new)?;
    if let Err(error) = caller.store().create(new).await {
        return Err(caller.refused(Action::CREATE, &new.id, error).await);
    }
    if let Err(problem) = caller.done(Action::CREATE, [new.id.clone()]).await {
        let gone = caller.store().delete_by_id(&new.id).await.is_ok();
        tracing::warn!(id = new.id, gone, "a credential was stored and its secret not shown");
        return Err(problem);
    }
    Ok(())
}

/// List credentials; opens nothing
#[utoipa::path(get, path = "/v1/credentials", operation_id = "list_credentials", tag = "credentials", params(Which), responses(
    (status = 200, description = "A page", body = Rows), crate::responses::Refusals))]
async fn list(
    caller: Caller,
    which: Result<Parameters<Which>, Problem>,
) -> Result<Json<Rows>, Problem> {
    let Parameters(Which { user_id, project_id, limit, after }) = which?;
    let limit = limit.unwrap_or(100);
    if !(1..=10_000).contains(&limit) {
        return Err(Problem::malformed("the query parameter `limit` is from 1 to 10000"));
    }
    for (name, text) in [("user_id", &user_id), ("project_id", &project_id), ("after", &after)] {
        if text.as_ref().is_some_and(|text| text.contains('\0')) {
            return Err(Problem::malformed(format!("the query parameter `{name}` holds a NUL")));
        }
    }
    match caller.store().list(&Filter { user_id, project_id, after }, limit).await {
        Ok(page) => Ok(Json(Rows {
            credentials: page.credentials.into_iter().map(Row::from).collect(),
            next: page.next,
        })),
        Err(error) => Err(caller.refused(Action::READ, "", error).await),
    }
}

/// Show a credential
#[utoipa::path(get, path = "/v1/credentials/{id}", operation_id = "show_credential", tag = "credentials", params(("id" = String, Path), Reveal), responses(
    (status = 200, description = "The credential", body = Shown), crate::routes::no_credential::NoCredential, crate::responses::Refusals))]
async fn show(
    caller: Caller,
    id: PathOf<String>,
    reveal: Result<Parameters<Reveal>, Problem>,
) -> Result<Json<Shown>, Problem> {
    let (id, Parameters(Reveal { reveal })) = (parts(id, WHAT)?, reveal?);
    let found = caller.store().find_by_id(&id, reveal).await;
    shown(&caller, found, reveal, &id).await.map(Json)
}

/// Find a credential by its access key
#[utoipa::path(post, path = "/v1/credentials/find", operation_id = "find_credential", tag = "credentials", request_body = Wanted, responses(
    (status = 200, description = "The credential", body = Shown), crate::routes::no_credential::NoCredential, crate::responses::Refusals))]
async fn find(caller: Caller, Body(wanted): Body<Wanted>) -> Result<Json<Shown>, Problem> {
    let found = caller.store().find(&wanted.access, wanted.reveal).await;
    shown(&caller, found, wanted.reveal, "").await.map(Json)
}

/// Remove a credential
#[utoipa::path(delete, path = "/v1/credentials/{id}", operation_id = "remove_credential", tag = "credentials", params(("id" = String, Path)), responses(
    (status = 204, description = "It is gone"), crate::routes::no_credential::NoCredential, crate::responses::Refusals))]
async fn remove(caller: Caller, id: PathOf<String>) -> Result<StatusCode, Problem> {
    delete(&caller, &parts(id, WHAT)?).await
}

/// Removes by id, and writes it down.
pub(super) async fn delete(caller: &Caller, id: &str) -> Result<StatusCode, Problem> {
    if let Err(error) = caller.store().delete_by_id(id).await {
        return Err(caller.refused(Action::DELETE, id, error).await);
    }
    match caller.done(Action::DELETE, [id.to_owned()]).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(problem) => {
            tracing::error!(
                id,
                component = caller.component().name(),
                "a credential was removed, and no audit row says so"
            );
            Err(problem)
        }
    }
}

/// What was found, written down before its secret is shown.
async fn shown(
    caller: &Caller,
    found: Result<credential::Credential, StoreError>,
    reveal: bool,
    id: &str,
) -> Result<Shown, Problem> {
    let action = if reveal { Action::REVEAL } else { Action::READ };
    let found = match found {
        Ok(found) => found,
        Err(error) => return Err(caller.refused(action, id, error).await),
    };
    if found.secret.is_some() {
        caller.done(Action::REVEAL, [found.id.clone()]).await?;
    }
    let credential::Credential { id, user_id, project_id, kind, access, secret, .. } = found;
    Ok(Shown { id, user_id, project_id, r#type: kind, access, secret })
}

/// Whether the caller's policy lets it read secrets.
pub(super) fn reads_secrets(caller: &Caller) -> bool {
    caller.keys().opens::<SecretKey>()
}
