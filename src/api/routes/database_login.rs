//! A component's own database login, for its programs that talk to the database themselves.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use crate::access_row::AccessRow;
use crate::caller::Caller;
use crate::extension::Routes;
use crate::problem::Problem;
use crate::service::Service;
use strongroom::audit::Action;

/// The components' own database logins.
pub(super) struct DatabaseLogins;

impl Routes for DatabaseLogins {
    fn package(&self) -> &'static str {
        "database logins"
    }

    fn routes(&self) -> OpenApiRouter<Arc<Service>> {
        OpenApiRouter::new().routes(routes!(show))
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::LOGIN]
    }

    fn access(&self) -> &'static [AccessRow] {
        const { &[AccessRow::post("/v1/database-logins")] }
    }
}

/// How to log in. It changes when the login is rotated: ask again when the database refuses it.
#[derive(Serialize, ToSchema)]
struct Login {
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
    crate::responses::Refusals))]
async fn show(State(service): State<Arc<Service>>, caller: Caller) -> Result<Json<Login>, Problem> {
    let name = caller.component().name();
    let login = match service.components.login_of(name).await {
        Ok(Some(login)) => login,
        Ok(None) => {
            return Err(Problem::new(StatusCode::NOT_FOUND, "no_logins", "SQLite has no logins"));
        }
        Err(error) => return Err(caller.refused(Action::LOGIN, "", error).await),
    };
    caller.done(Action::LOGIN, [login.user.clone()]).await?;
    let password = Zeroizing::new(login.password.expose_secret().to_owned());
    Ok(Json(Login {
        component: name.to_owned(),
        user: login.user,
        password,
        database: login.database,
    }))
}
