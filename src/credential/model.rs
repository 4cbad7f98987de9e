//! A credential as programs see it.

use std::fmt;

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::StoreError;
use crate::crypto::{make_bytes, make_token};

/// A credential to be stored.
#[derive(Clone)]
pub struct NewCredential {
    /// At most 64 characters, made by the program.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// The project, or none. Its data key seals the row.
    pub project_id: Option<String>,
    /// `ec2`, `totp`, `cert`, …
    pub kind: String,
    /// The access key, for types that have one.
    pub access: Option<Zeroizing<String>>,
    /// The secret.
    pub secret: Zeroizing<String>,
    /// JSON of whatever else belongs to it.
    pub extra: Option<String>,
}

/// A credential that was found.
#[derive(Clone)]
pub struct Credential {
    /// The row.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// The project, or none.
    pub project_id: Option<String>,
    /// `ec2`, `totp`, `cert`, …
    pub kind: String,
    /// The access key, for types that have one.
    pub access: Option<Zeroizing<String>>,
    /// The secret; `None` unless it was asked for.
    pub secret: Option<Zeroizing<String>>,
    /// JSON of whatever else belongs to it.
    pub extra: Option<String>,
}

/// A credential in a list: nothing of it was opened.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
#[non_exhaustive]
pub struct Listed {
    /// The row.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// The project, or none.
    pub project_id: Option<String>,
    /// `ec2`, `totp`, `cert`, …
    pub r#type: String,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
}

/// Part of a list.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Page {
    /// In order of id.
    pub credentials: Vec<Listed>,
    /// What to ask for next; `None` at the end.
    pub next: Option<String>,
}

impl NewCredential {
    /// A credential for a user, with a new id and a new secret, and for `ec2` a new access key of 128
    /// random bits.
    pub fn make(user_id: impl Into<String>, kind: impl Into<String>) -> Result<Self, StoreError> {
        let kind = kind.into();
        let access = if kind == "ec2" {
            Some(Zeroizing::new(hex::encode(make_bytes::<16>()?)))
        } else {
            None
        };
        Ok(Self {
            id: Uuid::new_v4().simple().to_string(),
            user_id: user_id.into(),
            project_id: None,
            kind,
            access,
            secret: make_token()?,
            extra: None,
        })
    }

    pub(super) fn check(&self) -> Result<(), StoreError> {
        let limits = [
            ("the id", Some(self.id.as_str()), 64),
            ("the user id", Some(self.user_id.as_str()), 64),
            ("the project id", self.project_id.as_deref(), 64),
            ("the type", Some(self.kind.as_str()), 255),
            ("the access key", self.access.as_ref().map(|access| access.as_str()), 255),
        ];
        for (what, value, most) in limits {
            if value.is_some_and(|value| value.chars().count() > most) {
                return Err(StoreError::TooLong(what, most));
            }
        }
        // PostgreSQL's text cannot hold it, so such a row could never be opened beside itself again.
        let texts = limits
            .iter()
            .filter_map(|(_, value, _)| *value)
            .chain([self.secret.as_str()])
            .chain(self.extra.as_deref());
        if self.id.is_empty() || texts.into_iter().any(|text| text.contains('\0')) {
            return Err(StoreError::NotText);
        }
        Ok(())
    }
}

impl fmt::Debug for NewCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewCredential").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("id", &self.id).finish_non_exhaustive()
    }
}
