//! `/v1/credentials`: what the command line does with credentials, over HTTPS, by the caller's own login.

use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use strongroom::entity::credential::SecretKey;
use utoipa::{IntoParams, ToSchema};
use zeroize::Zeroizing;

use crate::body::Body;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::query::Parameters;
use strongroom::audit::Action;
use strongroom::credential::{self, Filter, Listed, NewCredential, StoreError};

/// A credential to be stored. What is not given is made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBody {
    /// Whose it is.
    #[schema(min_length = 1, max_length = 64, pattern = "^[^\\u0000]*$")]
    user_id: String,
    /// The project, or none.
    #[schema(min_length = 1, max_length = 64, pattern = "^[^\\u0000]*$")]
    project_id: Option<String>,
    /// `ec2` when it is not given.
    #[schema(min_length = 1, max_length = 255, pattern = "^[^\\u0000]*$")]
    r#type: Option<String>,
    /// The access key.
    #[schema(min_length = 1, max_length = 255, pattern = "^[^\\u0000]*$", value_type = Option<String>)]
    access: Option<Zeroizing<String>>,
    /// The secret.
    #[schema(min_length = 1, pattern = "^[^\\u0000]*$", value_type = Option<String>)]
    secret: Option<Zeroizing<String>>,
    /// Whatever else belongs to it.
    #[schema(value_type = Option<Object>)]
    extra: Option<Map<String, Value>>,
}

/// A credential.
#[derive(Serialize, ToSchema)]
pub(super) struct Shown {
    id: String,
    user_id: String,
    project_id: Option<String>,
    r#type: String,
    #[schema(value_type = Option<String>)]
    access: Option<Zeroizing<String>>,
    /// `null` unless it was made just now, or asked for by a component whose policy reads it.
    #[schema(value_type = Option<String>)]
    secret: Option<Zeroizing<String>>,
}

/// A credential in a list: nothing of it is opened.
#[derive(Serialize, ToSchema)]
pub(super) struct Row {
    id: String,
    user_id: String,
    project_id: Option<String>,
    r#type: String,
    /// RFC 3339, with microseconds.
    created_at: String,
}

/// Part of a list.
#[derive(Serialize, ToSchema)]
pub(super) struct Rows {
    /// In order of id.
    credentials: Vec<Row>,
    /// The `after` of the next page; `null` at the end.
    next: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Only this user's.
    #[param(pattern = "^[^\\u0000]*$", required = false)]
    user_id: Option<String>,
    /// Only this project's.
    #[param(pattern = "^[^\\u0000]*$", required = false)]
    project_id: Option<String>,
    /// At most so many; 100 when it is not given.
    #[param(minimum = 1, maximum = 10_000, required = false)]
    limit: Option<u64>,
    /// Only those after this id.
    #[param(pattern = "^[^\\u0000]*$", required = false)]
    after: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Reveal {
    /// Whether the secret is asked for.
    #[serde(default)]
    #[param(required = false)]
    reveal: bool,
}

/// What to look for. The access key stands in the body: URLs end up in logs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[schema(value_type = String)]
    access: Zeroizing<String>,
    /// Whether the secret is asked for.
    #[serde(default)]
    reveal: bool,
}

/// Store a credential; the answer shows its secret this once
#[utoipa::path(post, path = "/v1/credentials", operation_id = "create_credential", tag = "credentials", request_body = NewBody, responses(
    (status = 201, description = "It is stored, and this is its secret", body = Shown), (status = 409, description = "The access key is taken", body = Problem, content_type = "application/problem+json"),
    crate::routes::document::Refusals))]
pub(super) async fn create(
    caller: Caller,
    Body(body): Body<NewBody>,
) -> Result<(StatusCode, Json<Shown>), Problem> {
    let mut new =
        match NewCredential::make(body.user_id, body.r#type.unwrap_or_else(|| "ec2".to_owned())) {
            Ok(new) => new,
            Err(error) => return Err(caller.refused(Action::Create, "", error).await),
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
        return Err(caller.refused(Action::Create, &new.id, error).await);
    }
    if let Err(error) = caller.done(Action::Create, [new.id.clone()]).await {
        let gone = caller.store().delete_by_id(&new.id).await.is_ok();
        tracing::warn!(id = new.id, gone, "a credential was stored and its secret not shown");
        return Err(caller.refused(Action::Create, &new.id, error).await);
    }
    Ok(())
}

/// List credentials; opens nothing
#[utoipa::path(get, path = "/v1/credentials", operation_id = "list_credentials", tag = "credentials", params(Which), responses(
    (status = 200, description = "A page", body = Rows), crate::routes::document::Refusals))]
pub(super) async fn list(
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
        Err(error) => Err(caller.refused(Action::Read, "", error).await),
    }
}

/// Show a credential
#[utoipa::path(get, path = "/v1/credentials/{id}", operation_id = "show_credential", tag = "credentials", params(("id" = String, Path), Reveal), responses(
    (status = 200, description = "The credential", body = Shown), crate::routes::document::NotFound, crate::routes::document::Refusals))]
pub(super) async fn show(
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    reveal: Result<Parameters<Reveal>, Problem>,
) -> Result<Json<Shown>, Problem> {
    let (id, Parameters(Reveal { reveal })) = (path(id)?, reveal?);
    let found = caller.store().find_by_id(&id, reveal).await;
    shown(&caller, found, reveal, &id).await.map(Json)
}

/// Find a credential by its access key
#[utoipa::path(post, path = "/v1/credentials/find", operation_id = "find_credential", tag = "credentials", request_body = Wanted, responses(
    (status = 200, description = "The credential", body = Shown), crate::routes::document::NotFound, crate::routes::document::Refusals))]
pub(super) async fn find(
    caller: Caller,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Shown>, Problem> {
    let found = caller.store().find(&wanted.access, wanted.reveal).await;
    shown(&caller, found, wanted.reveal, "").await.map(Json)
}

/// Remove a credential
#[utoipa::path(delete, path = "/v1/credentials/{id}", operation_id = "remove_credential", tag = "credentials", params(("id" = String, Path)), responses(
    (status = 204, description = "It is gone"), crate::routes::document::NotFound, crate::routes::document::Refusals))]
pub(super) async fn remove(
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    delete(&caller, &path(id)?).await
}

/// Removes by id, and writes it down.
pub(super) async fn delete(caller: &Caller, id: &str) -> Result<StatusCode, Problem> {
    if let Err(error) = caller.store().delete_by_id(id).await {
        return Err(caller.refused(Action::Delete, id, error).await);
    }
    match caller.done(Action::Delete, [id.to_owned()]).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error) => {
            tracing::error!(
                id,
                component = caller.component.name(),
                "a credential was removed, and no audit row says so"
            );
            Err(caller.refused(Action::Delete, id, error).await)
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
    let action = if reveal { Action::Reveal } else { Action::Read };
    let found = match found {
        Ok(found) => found,
        Err(error) => return Err(caller.refused(action, id, error).await),
    };
    if found.secret.is_some()
        && let Err(error) = caller.done(Action::Reveal, [found.id.clone()]).await
    {
        return Err(caller.refused(action, &found.id, error).await);
    }
    let credential::Credential { id, user_id, project_id, kind, access, secret, .. } = found;
    Ok(Shown { id, user_id, project_id, r#type: kind, access, secret })
}

/// Whether the caller's policy lets it read secrets.
pub(super) fn reads_secrets(caller: &Caller) -> bool {
    caller.component.keys().opens::<SecretKey>()
}

/// A part of the path. No column holds a NUL, and PostgreSQL does not even look for one.
pub(super) fn path<T: AsTexts>(given: Result<Path<T>, PathRejection>) -> Result<T, Problem> {
    match given {
        Ok(Path(parts)) if parts.all().into_iter().all(|part| !part.contains('\0')) => Ok(parts),
        _ => Err(Problem::not_found()),
    }
}

/// What a path is made of.
pub(super) trait AsTexts {
    fn all(&self) -> Vec<&str>;
}

impl AsTexts for String {
    fn all(&self) -> Vec<&str> {
        vec![self]
    }
}

impl AsTexts for (String, String) {
    fn all(&self) -> Vec<&str> {
        vec![&self.0, &self.1]
    }
}

impl From<Listed> for Row {
    fn from(row: Listed) -> Self {
        let Listed { id, user_id, project_id, r#type, created_at, .. } = row;
        Self {
            id,
            user_id,
            project_id,
            r#type,
            created_at: created_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        }
    }
}
