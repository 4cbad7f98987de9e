//! What a server's refusal means.

use sea_orm::DbErr;

use super::GrantError;
use super::wanted::Target;
use crate::db::{is_forbidden, is_password_refused};

/// Converts a server's refusal into an error with the statement. No password appears in it.
pub(crate) fn refusal(target: &Target, error: &DbErr, sql: &str) -> GrantError {
    if is_password_refused(error, target.looks_at_passwords) {
        return GrantError::PasswordRefused;
    }
    if is_forbidden(error) {
        let cause = error.to_string();
        let cause =
            cause.rsplit("error returned from database: ").next().unwrap_or(&cause).to_owned();
        return GrantError::Forbidden { sql: sql.to_owned(), cause };
    }
    GrantError::Database(error.clone())
}
