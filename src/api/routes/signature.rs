//! Checks a signature that somebody else received, as Keystone's `ec2tokens` does, without the secret leaving.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, SqlErr};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strongroom_entity::signature::{Column, Entity, Model};
use utoipa::ToSchema;

use crate::api::body::Body;
use crate::api::caller::Caller;
use crate::api::problem::Problem;
use crate::api::refusal::Refusal;
use crate::api::service::Service;
use crate::api::signature::{Claim, Fingerprint, SignedRequest};
use crate::audit::Action;
use crate::credential::{Credential, StoreError};
use crate::db::{self, DbErr};

/// The parts of a signed request, under the name that Keystone gives them or one of its older ones.
#[derive(Deserialize, ToSchema)]
pub(super) struct Signed {
    #[serde(alias = "credential", alias = "ec2Credentials")]
    #[schema(value_type = SignedRequestParts)]
    credentials: SignedRequest,
}

/// What the client signed: version 2 or 4 of AWS's signatures.
#[derive(ToSchema)]
#[expect(dead_code, reason = "says what is taken; `SignedRequest` reads it")]
pub(super) struct SignedRequestParts {
    access: String,
    signature: String,
    host: String,
    verb: String,
    path: String,
    params: Option<std::collections::BTreeMap<String, String>>,
    headers: Option<std::collections::BTreeMap<String, String>>,
    body_hash: Option<String>,
}

/// Whose signature it is.
#[derive(Serialize, ToSchema)]
pub(super) struct Signer {
    user_id: String,
    project_id: Option<String>,
    credential_id: String,
    /// What else belongs to the credential: a trust, an application credential. Who acts on the signature must heed it.
    #[schema(value_type = Option<Object>)]
    extra: Option<Value>,
}

/// Check a signature; yes, with whose it is, or 401
#[utoipa::path(post, path = "/v1/ec2-signatures/verify", tag = "signatures", request_body = Signed, responses(
    (status = 200, body = Signer), crate::api::routes::document::Refusals))]
pub(super) async fn verify(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Body(Signed { credentials: request }): Body<Signed>,
) -> Result<Json<Signer>, Problem> {
    let claim = request.claim().map_err(|reason| refused(reason.code(), reason.to_string()))?;
    let now_ms = match db::clock_ms(service.keeper()).await {
        Ok(now_ms) => now_ms,
        Err(error) => return Err(Refusal::from(error).problem),
    };
    let expires_ms = fresh_until(&service, &claim, now_ms)?;
    let found = match caller.store().find(request.access(), true).await {
        Ok(found) => found,
        // An access key that is not there is answered as one whose secret is another.
        Err(StoreError::NotFound) => return Err(mismatch()),
        Err(error) => return Err(caller.refused(Action::Verify, "", error).await),
    };
    let secret = found.secret.as_ref().map(|secret| secret.as_str()).unwrap_or_default();
    if found.kind != "ec2" || secret.is_empty() {
        return Err(mismatch());
    }
    let fingerprint = claim.verify(secret).map_err(|_| mismatch())?;
    match remember(&service, &fingerprint, expires_ms).await {
        Ok(true) => Ok(Json(signer(found))),
        Ok(false) => Err(refused("replayed", "this signature was verified before".to_owned())),
        Err(error) => Err(Refusal::from(error).problem),
    }
}

/// Until when the signature counts. Hosts' clocks disagree, so the database's is asked.
fn fresh_until(service: &Service, claim: &Claim<'_>, now_ms: i64) -> Result<i64, Problem> {
    let window = i64::try_from(service.settings.signature_window.as_secs()).unwrap_or(i64::MAX);
    let now = now_ms / 1000;
    let age = now.saturating_sub(claim.signed_at());
    if age < -window {
        return Err(refused("not_yet", format!("the signature is from more than {window} s in the future")));
    }
    let until = claim.expires_at().unwrap_or_else(|| claim.signed_at().saturating_add(window));
    if until <= now {
        return Err(refused("stale", "the signature is too old".to_owned()));
    }
    Ok(until.saturating_add(1).saturating_mul(1000))
}

/// Writes down that the signature was seen; whether it is the first time, for all replicas together.
async fn remember(service: &Service, fingerprint: &Fingerprint, expires_ms: i64) -> Result<bool, DbErr> {
    let row = Model { fingerprint: fingerprint.as_bytes().to_vec(), expires_ms };
    match Entity::insert(row.into_active_model().reset_all()).exec_without_returning(service.keeper()).await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Forgets the signatures that are too old to be taken anyway; how many.
pub(in crate::api) async fn forget_old(service: &Service) -> Result<u64, DbErr> {
    let now_ms = db::clock_ms(service.keeper()).await?;
    Ok(Entity::delete_many().filter(Column::ExpiresMs.lt(now_ms)).exec(service.keeper()).await?.rows_affected)
}

fn signer(found: Credential) -> Signer {
    let Credential { id, user_id, project_id, extra, .. } = found;
    Signer { user_id, project_id, credential_id: id, extra: extra.and_then(|text| serde_json::from_str(&text).ok()) }
}

fn mismatch() -> Problem {
    refused("mismatch", "no credential with this access key made this signature".to_owned())
}

fn refused(code: &'static str, detail: String) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, detail)
}
