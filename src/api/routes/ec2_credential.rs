//! Keystone's OS-EC2 credentials, as its clients know them.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::credential::{WHAT, delete, reads_secrets, store};
use crate::access_row::AccessRow;
use crate::body::Body;
use crate::caller::Caller;
use crate::error_shape::ErrorShape;
use crate::extension::Routes;
use crate::path::{PathOf, parts};
use crate::problem::Problem;
use crate::service::Service;
use strongroom::audit::Action;
use strongroom::credential::{Credential, NewCredential, StoreError};

const EC2: &str = "ec2";
const LIST: &str = "/v3/users/{user_id}/credentials/OS-EC2";
const ONE: &str = "/v3/users/{user_id}/credentials/OS-EC2/{access}";

/// The credentials, as Keystone's clients know them. Their rows have the actions of [`super::credential`].
pub(super) struct Ec2Credentials;

impl Routes for Ec2Credentials {
    fn package(&self) -> &'static str {
        "ec2 credentials"
    }

    fn routes(&self) -> OpenApiRouter<Arc<Service>> {
        OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(show, remove))
    }

    fn actions(&self) -> &'static [Action] {
        &[]
    }

    fn error_shape(&self) -> Option<ErrorShape> {
        Some(ErrorShape::keystone(&["/v3"]))
    }

    fn access(&self) -> &'static [AccessRow] {
        const {
            &[
                AccessRow::post(LIST)
                    .asking("/v3/users/bob/credentials/OS-EC2")
                    .with_body(r#"{"tenant_id":"web"}"#),
                AccessRow::get(LIST).asking("/v3/users/user-1/credentials/OS-EC2"),
                AccessRow::get(ONE).asking("/v3/users/alice/credentials/OS-EC2/nothing"),
                AccessRow::delete(ONE).asking("/v3/users/alice/credentials/OS-EC2/nothing"),
            ]
        }
    }
}

/// The project that the credential is for.
#[derive(Deserialize, ToSchema)]
struct Tenant {
    #[schema(min_length = 1, max_length = 64, pattern = "^[^\\u0000]*$")]
    tenant_id: String,
}

/// A credential as Keystone shows it.
#[derive(Serialize, ToSchema)]
struct Ec2 {
    user_id: String,
    tenant_id: Option<String>,
    #[schema(value_type = Option<String>)]
    access: Option<Zeroizing<String>>,
    /// `null` unless it was made just now, or the caller's policy reads it.
    #[schema(value_type = Option<String>)]
    secret: Option<Zeroizing<String>>,
    trust_id: Option<String>,
    links: Links,
}

/// Where it is.
#[derive(Serialize, ToSchema)]
struct Links {
    #[serde(rename = "self")]
    this: String,
}

/// One credential.
#[derive(Serialize, ToSchema)]
struct One {
    credential: Ec2,
}

/// All of a user's.
#[derive(Serialize, ToSchema)]
struct Many {
    credentials: Vec<Ec2>,
    /// Ids of rows that do not open; they keep nobody from the rest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unopenable: Vec<String>,
    links: ListLinks,
}

/// Keystone's list comes in one page.
#[derive(Serialize, ToSchema)]
struct ListLinks {
    #[serde(rename = "self")]
    this: String,
    previous: Option<String>,
    next: Option<String>,
}

/// Make an EC2 credential; the answer shows its secret
#[utoipa::path(post, path = "/v3/users/{user_id}/credentials/OS-EC2", operation_id = "create_ec2_credential", tag = "keystone", params(("user_id" = String, Path)),
    request_body = Tenant, responses((status = 201, description = "It is made, and this is its secret", body = One), crate::responses::KeystoneRefusals))]
async fn create(
    caller: Caller,
    user: PathOf<String>,
    Body(tenant): Body<Tenant>,
) -> Result<(StatusCode, Json<One>), Problem> {
    let user = parts(user, WHAT)?;
    let mut new = match NewCredential::make(user, EC2) {
        Ok(new) => new,
        Err(error) => return Err(caller.refused(Action::CREATE, "", error).await),
    };
    new.project_id = Some(tenant.tenant_id);
    store(&caller, &new).await?;
    let NewCredential { id, user_id, project_id, kind, access, secret, extra } = new;
    let made = Credential { id, user_id, project_id, kind, access, secret: Some(secret), extra };
    Ok((StatusCode::CREATED, Json(One { credential: made.into() })))
}

/// List a user's EC2 credentials
#[utoipa::path(get, path = "/v3/users/{user_id}/credentials/OS-EC2", operation_id = "list_ec2_credentials", tag = "keystone", params(("user_id" = String, Path)),
    responses((status = 200, description = "The user's credentials", body = Many), crate::responses::KeystoneRefusals))]
async fn list(caller: Caller, user: PathOf<String>) -> Result<Json<Many>, Problem> {
    let (user, reveal) = (parts(user, WHAT)?, reads_secrets(&caller));
    let action = if reveal { Action::REVEAL } else { Action::READ };
    let rows = match caller.store().find_of(&user, EC2, reveal).await {
        Ok(rows) => rows,
        Err(error) => return Err(caller.refused(action, "", error).await),
    };
    let (mut found, mut unopenable) = (Vec::new(), Vec::new());
    for (id, row) in rows {
        match row {
            Ok(row) => found.push(row),
            Err(StoreError::Unopenable {
                reason: strongroom::key::OpenFailure::NotShared, ..
            }) => {
                return Err(caller
                    .refused(action, &id, strongroom::key::RingError::NotShared)
                    .await);
            }
            Err(StoreError::Unopenable { .. }) => unopenable.push(id),
            Err(error) => return Err(caller.refused(action, &id, error).await),
        }
    }
    let revealed = found.iter().filter(|row| row.secret.is_some()).map(|row| row.id.clone());
    caller.done(Action::REVEAL, revealed.collect::<Vec<_>>()).await?;
    let links = ListLinks { this: of_user(&user), previous: None, next: None };
    Ok(Json(Many { credentials: found.into_iter().map(Ec2::from).collect(), unopenable, links }))
}

/// Show an EC2 credential
#[utoipa::path(get, path = "/v3/users/{user_id}/credentials/OS-EC2/{access}", operation_id = "show_ec2_credential", tag = "keystone",
    params(("user_id" = String, Path), ("access" = String, Path)),
    responses((status = 200, description = "The credential", body = One), crate::routes::no_credential::KeystoneNoCredential, crate::responses::KeystoneRefusals))]
async fn show(caller: Caller, which: PathOf<(String, String)>) -> Result<Json<One>, Problem> {
    let (user, access) = parts(which, WHAT)?;
    let reveal = reads_secrets(&caller);
    let found = find(&caller, &user, &access, reveal).await?;
    if found.secret.is_some() {
        caller.done(Action::REVEAL, [found.id.clone()]).await?;
    }
    Ok(Json(One { credential: found.into() }))
}

/// Remove an EC2 credential
#[utoipa::path(delete, path = "/v3/users/{user_id}/credentials/OS-EC2/{access}", operation_id = "remove_ec2_credential", tag = "keystone",
    params(("user_id" = String, Path), ("access" = String, Path)),
    responses((status = 204, description = "It is gone"), crate::routes::no_credential::KeystoneNoCredential, crate::responses::KeystoneRefusals))]
async fn remove(caller: Caller, which: PathOf<(String, String)>) -> Result<StatusCode, Problem> {
    let (user, access) = parts(which, WHAT)?;
    let found = find(&caller, &user, &access, false).await?;
    delete(&caller, &found.id).await
}

/// Another user's credential is none of this one's.
async fn find(
    caller: &Caller,
    user: &str,
    access: &str,
    reveal: bool,
) -> Result<Credential, Problem> {
    let action = if reveal { Action::REVEAL } else { Action::READ };
    match caller.store().find(access, reveal).await {
        Ok(found) if found.user_id == user && found.kind == EC2 => Ok(found),
        Ok(_) => Err(Problem::not_found(WHAT)),
        Err(error) => Err(caller.refused(action, "", error).await),
    }
}

fn of_user(user: &str) -> String {
    format!(
        "/v3/users/{}/credentials/OS-EC2",
        percent_encoding::utf8_percent_encode(user, percent_encoding::NON_ALPHANUMERIC)
    )
}

impl From<Credential> for Ec2 {
    fn from(found: Credential) -> Self {
        let Credential { user_id, project_id, access, secret, extra, .. } = found;
        let extra: Value =
            extra.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let trust_id = extra.get("trust_id").and_then(Value::as_str).map(str::to_owned);
        // As Keystone does: clients take it for the credential's address.
        let this = format!(
            "{}/{}",
            of_user(&user_id),
            access.as_deref().map_or("", |access| access.as_str())
        );
        Self { user_id, tenant_id: project_id, access, secret, trust_id, links: Links { this } }
    }
}
