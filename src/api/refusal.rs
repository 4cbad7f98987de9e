//! What an error of the rooms below is to a caller, and which barrier it came from.

use axum::http::StatusCode;
use sea_orm::DbErr;

use super::problem::Problem;
use strongroom::audit::{AuditError, Barrier};
use strongroom::credential::StoreError;
use strongroom::db::{is_not_primary, is_refused, is_too_slow, is_unreachable};
use strongroom::key::{OpenFailure, RingError};
use strongroom::policy::GrantError;

/// Seconds after which a caller may try again.
const SOON: u32 = 1;

/// The server takes no changes. The service drops its sessions: another server is the primary by now.
pub(super) const NOT_PRIMARY: &str = "database_not_primary";

/// What callers are told of a database that went back behind what this host has seen.
pub(super) const WENT_BACK: &str = "the database went back to an older copy, or to another key ring: the operator must restore it, or accept it";

/// What a caller is told, and what goes into the audit row of a refusal.
///
/// [`super::Caller::refused`] turns it into an answer and writes the row.
#[derive(Debug)]
pub struct Refusal {
    pub(super) problem: Problem,
    pub(super) barrier: Option<Barrier>,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problem, barrier: None }
    }
}

impl Refusal {
    /// A refusal by a barrier of a package's own, which the package lists in [`super::Routes::barriers`].
    pub fn new(
        barrier: Barrier,
        status: StatusCode,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        let problem = Problem::new(status, code, detail).refused_by(barrier);
        Self { problem, barrier: Some(barrier) }
    }

    /// Nobody that this service knows.
    pub(super) fn identity(code: &'static str, detail: String) -> Self {
        Self::new(Barrier::IDENTITY, StatusCode::UNAUTHORIZED, code, detail)
    }

    /// Somebody who may not, by a barrier of the service.
    pub(super) fn forbidden(barrier: Barrier) -> Self {
        let (code, detail) = match barrier {
            Barrier::IDENTITY => ("unknown_caller", "the caller is no component"),
            Barrier::POLICY => ("no_policy", "no policy is in force for this component"),
            Barrier::KEYS => ("no_key", "the component's policy gives it no key for this"),
            _ => ("forbidden", "the database does not let the component's login do this"),
        };
        Self::new(barrier, StatusCode::FORBIDDEN, code, detail)
    }

    fn unavailable(code: &'static str, detail: &'static str) -> Self {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(SOON).into()
    }

    /// Logs the cause and tells the caller nothing of it: it may name accounts, and tables.
    pub fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the request failed; the service's log says why",
        )
        .into()
    }
}

impl From<DbErr> for Refusal {
    fn from(error: DbErr) -> Self {
        if is_refused(&error) {
            return Self::forbidden(Barrier::DATABASE);
        }
        if is_not_primary(&error) {
            tracing::warn!(%error, "the database server is not the primary");
            return Self::unavailable(
                NOT_PRIMARY,
                "the database server takes no changes now: another one is the primary",
            );
        }
        if is_unreachable(&error) {
            tracing::warn!(%error, "the database cannot be reached");
            return Self::unavailable("database_unreachable", "the database cannot be reached");
        }
        if is_too_slow(&error) {
            return Self::unavailable("database_busy", "the database took too long");
        }
        Self::internal(&error)
    }
}

impl From<RingError> for Refusal {
    fn from(error: RingError) -> Self {
        match error {
            RingError::NotShared => Self::forbidden(Barrier::KEYS),
            RingError::Database(error) => error.into(),
            error if error.went_back() => {
                tracing::error!(%error, "the database went back");
                Self::unavailable("ring_went_back", WENT_BACK)
            }
            RingError::KeyGone => {
                tracing::error!(%error, "a value was sealed again and refused again");
                Self::unavailable("database_busy", "the keys of the database change; try again")
            }
            error => Self::internal(&error),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Problem::not_found("credential").into(),
            StoreError::Exists => {
                Problem::new(StatusCode::CONFLICT, "exists", error.to_string()).into()
            }
            StoreError::TooLong(..) | StoreError::NotText | StoreError::Refused => {
                Problem::malformed(error.to_string()).into()
            }
            StoreError::TooMany(_) => {
                Problem::new(StatusCode::BAD_REQUEST, "too_many", error.to_string()).into()
            }
            StoreError::Unopenable { reason: OpenFailure::NotShared, .. } => {
                Self::forbidden(Barrier::KEYS)
            }
            StoreError::Unopenable { ref id, ref reason } => {
                tracing::error!(id, %reason, "a credential does not open");
                let detail = "the credential does not open: it was altered, or its key is gone";
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "unopenable", detail).into()
            }
            StoreError::Held => Self::unavailable("database_busy", "the table is being changed"),
            StoreError::Ring(error) => error.into(),
            StoreError::Database(error) => error.into(),
            error => Self::internal(&error),
        }
    }
}

impl From<GrantError> for Refusal {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::UnknownComponent(_) | GrantError::NoPolicy => {
                Self::forbidden(Barrier::POLICY)
            }
            GrantError::Database(error) if is_unreachable(&error) || is_not_primary(&error) => {
                error.into()
            }
            GrantError::Ring(error) => error.into(),
            error => {
                tracing::error!(%error, "a component cannot be served");
                let detail =
                    "the component's database login cannot be used; the service's log says why";
                let refusal = Self::new(
                    Barrier::POLICY,
                    StatusCode::SERVICE_UNAVAILABLE,
                    "login_unusable",
                    detail,
                );
                Self { problem: refusal.problem.retry_after(SOON), ..refusal }
            }
        }
    }
}

/// What was not written down is not handed out.
impl From<AuditError> for Refusal {
    fn from(error: AuditError) -> Self {
        if let AuditError::Database(error) = &error
            && is_not_primary(error)
        {
            return error.clone().into();
        }
        tracing::error!(%error, "nothing is handed out without an audit row");
        Self::unavailable("audit_unavailable", "what was asked for cannot be written down now")
    }
}
