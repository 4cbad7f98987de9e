//! Checks a signature that somebody else received, as Keystone's `ec2tokens` does, without the secret leaving.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, SqlErr,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use strongroom::entity::signature::{Column, Entity, Model};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, OneOf, Schema, Type};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access_row::AccessRow;
use crate::body::{Body, object};
use crate::caller::Caller;
use crate::extension::{Routes, Work};
use crate::problem::Problem;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::signature::{Claim, Fingerprint, SignedRequest, Version as SignatureVersion};
use strongroom::audit::Action;
use strongroom::component::SignatureReplay;
use strongroom::credential::{Credential, StoreError};
use strongroom::internal::db::{self, DbErr};

/// A request of version 2 with an access key that does not exist.
const UNKNOWN_SIGNER: &str = r#"{"credentials":{"access":"nothing","host":"ec2.example.com","verb":"GET","path":"/",
    "signature":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "params":{"SignatureVersion":"2","SignatureMethod":"HmacSHA256","Timestamp":"{now}"}}}"#;

/// Signatures of requests, verified for services that receive them.
pub(super) struct Signatures;

impl Routes for Signatures {
    fn package(&self) -> &'static str {
        "signatures"
    }

    fn routes(&self) -> OpenApiRouter<Arc<Service>> {
        OpenApiRouter::new().routes(routes!(verify))
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::VERIFY]
    }

    fn every_minute<'a>(&'a self, service: &'a Service) -> Work<'a> {
        Box::pin(async {
            match forget_old(service).await {
                Ok(0) => {}
                Ok(rows) => tracing::debug!(rows, "old signatures forgotten"),
                Err(error) => tracing::warn!(%error, "old signatures could not be forgotten"),
            }
        })
    }

    fn access(&self) -> &'static [AccessRow] {
        const { &[AccessRow::post("/v1/ec2-signatures/verify").with_body(UNKNOWN_SIGNER)] }
    }
}

/// The parts of a signed request, under the name that Keystone gives them or one of its older ones.
#[derive(Deserialize, ToSchema)]
struct Signed {
    #[serde(alias = "credential", alias = "ec2Credentials", deserialize_with = "object")]
    #[schema(value_type = SignedRequestParts)]
    credentials: SignedRequest,
}

/// What the client signed: version 2 or 4 of AWS's signatures.
#[derive(ToSchema)]
#[expect(dead_code, reason = "says what is taken; `SignedRequest` reads it")]
struct SignedRequestParts {
    access: String,
    /// Where the request itself does not hold it.
    signature: Option<String>,
    host: String,
    /// In any case.
    verb: String,
    /// Raw, as on the wire (percent-encoded), or as signed; without the query.
    path: String,
    /// Decoded names and values.
    #[schema(required = false, schema_with = params_schema)]
    params: (),
    #[schema(required = false)]
    headers: std::collections::BTreeMap<String, String>,
    /// SHA-256 of the body in lowercase hexadecimal, or a word such as `UNSIGNED-PAYLOAD`. What the client signed as
    /// unsigned counts as such whatever is given here.
    body_hash: Option<String>,
}

/// A value is a text, or a number or boolean that a Python client wrote in place of one, or a list of them.
fn params_schema() -> Object {
    let text =
        || OneOf::builder().item(of(Type::String)).item(of(Type::Number)).item(of(Type::Boolean));
    let list = ArrayBuilder::new().items(text()).min_items(Some(1));
    let value = Schema::OneOf(text().item(list).build());
    ObjectBuilder::new().additional_properties(Some(RefOr::T(value))).build()
}

fn of(kind: Type) -> Object {
    ObjectBuilder::new().schema_type(kind).build()
}

/// Whose signature it is.
#[derive(Serialize, ToSchema)]
struct Signer {
    user_id: String,
    project_id: Option<String>,
    credential_id: String,
    /// What else belongs to the credential: a trust, an application credential. Who acts on the signature must heed it.
    #[schema(value_type = Option<Object>)]
    extra: Option<Map<String, Value>>,
}

/// Check a signature; yes, with whose it is, or 401
#[utoipa::path(post, path = "/v1/ec2-signatures/verify", operation_id = "verify_signature", tag = "signatures", request_body = Signed, responses(
    (status = 200, description = "It is good, and this is whose", body = Signer), crate::responses::Refusals))]
async fn verify(
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
        Err(error) => return Err(caller.refused(Action::VERIFY, "", error).await),
    };
    let secret = found.secret.as_ref().map(|secret| secret.as_str()).unwrap_or_default();
    if found.kind != "ec2" || secret.is_empty() {
        return Err(mismatch());
    }
    let fingerprint = claim.verify(secret).map_err(|_| mismatch())?;
    let signer = signer(found)?;
    let counts_again = counts_until_expiry(&service, caller.component().name());
    match remember(&service, &fingerprint, expires_ms).await {
        // Remembered for callers of other components, for whom it may count once.
        Ok(first) if first || counts_again => Ok(Json(signer)),
        Ok(_) => Err(refused("replayed", "this signature was verified before".to_owned())),
        Err(error) => Err(Refusal::from(error).problem),
    }
}

/// Whether the policy in force lets a signature count more than once for callers of this component.
fn counts_until_expiry(service: &Service, component: &str) -> bool {
    let policy = service.policy();
    policy.components.get(component).is_some_and(|of| of.key() == Ok(SignatureReplay::UntilExpiry))
}

/// Until when the signature counts. Hosts' clocks disagree, so the database's is asked.
fn fresh_until(service: &Service, claim: &Claim<'_>, now_ms: i64) -> Result<i64, Problem> {
    let window = i64::try_from(service.settings.signature_window.as_secs()).unwrap_or(i64::MAX);
    let now = now_ms / 1000;
    let age = now.saturating_sub(claim.signed_at());
    if age < -window {
        return Err(refused(
            "not_yet",
            format!("the signature is from more than {window} s in the future"),
        ));
    }
    let window_ends = claim.signed_at().saturating_add(window);
    let until = match (claim.version(), claim.expires_at()) {
        // It may shorten the time; an old signature stays old.
        (SignatureVersion::Two, Some(expires)) => expires.min(window_ends),
        // A presigned request is made for later, and counts once like any other.
        (SignatureVersion::Four, Some(expires)) => expires,
        (_, None) => window_ends,
    };
    if until <= now {
        return Err(refused("stale", "the signature is too old".to_owned()));
    }
    Ok(until.saturating_add(KEPT_LONGER).saturating_mul(1000))
}

/// Seconds: longer than a request may take from here to where its signature is written down, and than clocks are set back.
const KEPT_LONGER: i64 = 600;

/// Writes down that the signature was seen; whether it is the first time, for all replicas together.
async fn remember(
    service: &Service,
    fingerprint: &Fingerprint,
    expires_ms: i64,
) -> Result<bool, DbErr> {
    let row = Model { fingerprint: fingerprint.as_bytes().to_vec(), expires_ms };
    match Entity::insert(row.into_active_model().reset_all())
        .exec_without_returning(service.keeper())
        .await
    {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Forgets the signatures that are too old to be taken anyway; how many.
async fn forget_old(service: &Service) -> Result<u64, DbErr> {
    let now_ms = db::clock_ms(service.keeper()).await?;
    Ok(Entity::delete_many()
        .filter(Column::ExpiresMs.lt(now_ms))
        .exec(service.keeper())
        .await?
        .rows_affected)
}

/// What restricts the credential must reach whoever acts on the answer: a text that cannot be read is no yes.
fn signer(found: Credential) -> Result<Signer, Problem> {
    let Credential { id, user_id, project_id, extra, .. } = found;
    let read = |text: String| serde_json::from_str::<Map<String, Value>>(&text);
    let extra = extra.map(read).transpose().map_err(|_| {
        tracing::warn!(
            id,
            "the credential's `extra` is no JSON object, so its signatures are refused"
        );
        refused(
            "restrictions_unreadable",
            "what restricts this credential cannot be read".to_owned(),
        )
    })?;
    Ok(Signer { user_id, project_id, credential_id: id, extra })
}

fn mismatch() -> Problem {
    refused("mismatch", "no credential with this access key made this signature".to_owned())
}

fn refused(code: &'static str, detail: String) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, detail)
}
