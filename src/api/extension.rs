//! What a package brings to the service: routes, and everything that belongs to them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use super::access_row::AccessRow;
use super::error_shape::ErrorShape;
use super::service::Service;
use strongroom::audit::{Action, Barrier};

/// Work of a package beside its answers.
pub type Work<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// The routes of one package.
///
/// [`super::RouteSet`] joins the packages of a program, and refuses two that claim the same. A handler takes a [`super::Caller`]
/// first: it refuses callers that the policy does not know, and is the way to the component's database and keys. What the
/// handler hands out goes into the audit rows by [`super::Caller::done`], what it refuses by [`super::Caller::refused`].
///
/// A package with one route, an audit action and a barrier of its own:
///
/// ```no_run
/// use std::sync::Arc;
///
/// use axum::Json;
/// use axum::http::StatusCode;
/// use serde::Serialize;
/// use strongroom::audit::{Action, Barrier};
/// use strongroom_api::responses::Refusals;
/// use strongroom_api::{AccessRow, Caller, Problem, Refusal, Routes, Service};
/// use utoipa::ToSchema;
/// use utoipa_axum::router::OpenApiRouter;
/// use utoipa_axum::routes;
///
/// const GREET: Action = Action::new("greet");
/// const CURFEW: Barrier = Barrier::new("curfew");
///
/// #[derive(Serialize, ToSchema)]
/// struct Greeting {
///     text: String,
/// }
///
/// /// Greet the caller
/// #[utoipa::path(get, path = "/v1/greeting", operation_id = "greet", tag = "greetings", responses(
///     (status = 200, description = "The greeting", body = Greeting), Refusals))]
/// async fn greet(caller: Caller) -> Result<Json<Greeting>, Problem> {
///     let name = caller.component().name().to_owned();
///     if name == "scheduler" {
///         let refusal = Refusal::new(CURFEW, StatusCode::FORBIDDEN, "too_late", "it is too late");
///         return Err(caller.refused(GREET, &name, refusal).await);
///     }
///     caller.done(GREET, [name.clone()]).await?; // the row is committed before the answer goes out
///     Ok(Json(Greeting { text: format!("good evening, {name}") }))
/// }
///
/// struct Greetings;
///
/// impl Routes for Greetings {
///     fn package(&self) -> &'static str {
///         "greetings"
///     }
///
///     fn routes(&self) -> OpenApiRouter<Arc<Service>> {
///         OpenApiRouter::new().routes(routes!(greet))
///     }
///
///     fn actions(&self) -> &'static [Action] {
///         &[GREET]
///     }
///
///     fn barriers(&self) -> &'static [Barrier] {
///         &[CURFEW]
///     }
///
///     fn access(&self) -> &'static [AccessRow] {
///         const { &[AccessRow::get("/v1/greeting")] }
///     }
/// }
/// ```
pub trait Routes: Send + Sync {
    /// Returns the package's name, for errors.
    fn package(&self) -> &'static str;

    /// Returns the routes with their description, by `routes!`: others are neither described nor checked.
    ///
    /// They must not set a fallback, because the service has one for all. State of a package's own goes in as a layer,
    /// `axum::Extension`. Names of schemas and operation ids are one list for the service: a name such as `Row` is taken.
    fn routes(&self) -> OpenApiRouter<Arc<Service>>;

    /// Returns the audit actions that this package brings. The handlers may also use those of another package. A row with
    /// an action that no package lists is not written, and the request fails.
    fn actions(&self) -> &'static [Action];

    /// Returns the barriers that this package brings.
    fn barriers(&self) -> &'static [Barrier] {
        &[]
    }

    /// Returns the rows of the access matrix, at least one for each route.
    fn access(&self) -> &'static [AccessRow];

    /// Returns the shape of errors on the package's paths, where it is not that of problem documents.
    fn error_shape(&self) -> Option<ErrorShape> {
        None
    }

    /// Does the package's work of every minute, such as removing rows that have expired. Logs its errors itself.
    fn every_minute<'a>(&'a self, _service: &'a Service) -> Work<'a> {
        Box::pin(std::future::ready(()))
    }
}

/// Returns the words of these packages' audit actions, in the packages' order; last, that of callers who are refused entry.
pub fn actions_of(packages: &[Box<dyn Routes>]) -> Vec<&'static str> {
    let of_packages = packages.iter().flat_map(|package| package.actions());
    of_packages.chain([&Action::ENTER]).map(|action| action.as_str()).collect()
}
