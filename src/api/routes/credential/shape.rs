//! What the routes of credentials take and answer.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use strongroom::credential::Listed;
use utoipa::{IntoParams, ToSchema};
use zeroize::Zeroizing;

/// A credential to be stored. What is not given is made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBody {
    /// Whose it is.
    #[schema(min_length = 1, max_length = 64, pattern = "^[^\\u0000]*$")]
    pub(super) user_id: String,
    /// The project, or none.
    #[schema(min_length = 1, max_length = 64, pattern = "^[^\\u0000]*$")]
    pub(super) project_id: Option<String>,
    /// `ec2` when it is not given.
    #[schema(min_length = 1, max_length = 255, pattern = "^[^\\u0000]*$")]
    pub(super) r#type: Option<String>,
    /// The access key.
    #[schema(min_length = 1, max_length = 255, pattern = "^[^\\u0000]*$", value_type = Option<String>)]
    pub(super) access: Option<Zeroizing<String>>,
    /// The secret.
    #[schema(min_length = 1, pattern = "^[^\\u0000]*$", value_type = Option<String>)]
    pub(super) secret: Option<Zeroizing<String>>,
    /// Whatever else belongs to it.
    #[schema(value_type = Option<Object>)]
    pub(super) extra: Option<Map<String, Value>>,
}

/// A credential.
#[derive(Serialize, ToSchema)]
pub(super) struct Shown {
    pub(super) id: String,
    pub(super) user_id: String,
    pub(super) project_id: Option<String>,
    pub(super) r#type: String,
    #[schema(value_type = Option<String>)]
    pub(super) access: Option<Zeroizing<String>>,
    /// `null` unless it was made just now, or asked for by a component whose policy reads it.
    #[schema(value_type = Option<String>)]
    pub(super) secret: Option<Zeroizing<String>>,
}

/// A credential in a list: nothing of it is opened.
#[derive(Serialize, ToSchema)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) user_id: String,
    pub(super) project_id: Option<String>,
    pub(super) r#type: String,
    /// RFC 3339, with microseconds.
    pub(super) created_at: String,
}

/// Part of a list.
#[derive(Serialize, ToSchema)]
pub(super) struct Rows {
    /// In order of id.
    pub(super) credentials: Vec<Row>,
    /// The `after` of the next page; `null` at the end.
    pub(super) next: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Only this user's.
    #[param(pattern = "^[^\\u0000]*$", required = false)]
    pub(super) user_id: Option<String>,
    /// Only this project's.
    #[param(pattern = "^[^\\u0000]*$", required = false)]
    pub(super) project_id: Option<String>,
    /// At most so many; 100 when it is not given.
    #[param(minimum = 1, maximum = 10_000, required = false)]
    pub(super) limit: Option<u64>,
    /// Only those after this id.
    #[param(pattern = "^[^\\u0000]*$", required = false)]
    pub(super) after: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Reveal {
    /// Whether the secret is asked for.
    #[serde(default)]
    #[param(required = false)]
    pub(super) reveal: bool,
}

/// What to look for. The access key stands in the body: URLs end up in logs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[schema(value_type = String)]
    pub(super) access: Zeroizing<String>,
    /// Whether the secret is asked for.
    #[serde(default)]
    pub(super) reveal: bool,
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
