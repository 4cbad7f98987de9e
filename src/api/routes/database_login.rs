//! A component's own database login, for its programs that talk to the database themselves.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::service::Service;
use strongroom::audit::Action;

/// How to log in. It changes when the login is rotated: ask again when the database refuses it.
#[derive(Serialize, ToSchema)]
pub(super) struct Login {
    component: String,
    user: String,
    #[schema(value_type = String)]
    password: Zeroizing<String>,
    /// Where the component's tables are.
    database: String,
}

/// Give the caller its own current database login
#[utoipa::path(post, path = "/v1/database-logins", operation_id = "own_database_login", tag = "database logins", responses(
    (status = 200, description = "The caller's login", body = Login),
    (status = 404, description = "This database has no logins", body = Problem, content_type = "application/problem+json"),
    crate::routes::document::Refusals))]
pub(super) async fn show(
    State(service): State<Arc<Service>>,
    caller: Caller,
) -> Result<Json<Login>, Problem> {
    let name = caller.component.name();
    let login = match service.components.login_of(name).await {
        Ok(Some(login)) => login,
        Ok(None) => {
            return Err(Problem::new(StatusCode::NOT_FOUND, "no_logins", "SQLite has no logins"));
        }
        Err(error) => return Err(caller.refused(Action::Login, "", error).await),
    };
    if let Err(error) = caller.done(Action::Login, [login.user.clone()]).await {
        return Err(caller.refused(Action::Login, "", error).await);
    }
    let password = Zeroizing::new(login.password.expose_secret().to_owned());
    Ok(Json(Login {
        component: name.to_owned(),
        user: login.user,
        password,
        database: login.database,
    }))
}
