use strongroom::audit::{Action, Barrier};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::*;
use crate::access_row::AccessRow;

/// A package whose claims are given.
#[derive(Default)]
struct Added {
    routes: Option<fn() -> OpenApiRouter<Arc<Service>>>,
    actions: &'static [Action],
    barriers: &'static [Barrier],
    shape: Option<ErrorShape>,
}

impl Routes for Added {
    fn package(&self) -> &'static str {
        "added"
    }

    fn routes(&self) -> OpenApiRouter<Arc<Service>> {
        self.routes.map_or_else(OpenApiRouter::new, |routes| routes())
    }

    fn actions(&self) -> &'static [Action] {
        self.actions
    }

    fn barriers(&self) -> &'static [Barrier] {
        self.barriers
    }

    fn access(&self) -> &'static [AccessRow] {
        &[]
    }

    fn error_shape(&self) -> Option<ErrorShape> {
        self.shape
    }
}

fn told(added: Added) -> String {
    let mut packages = crate::built_in();
    packages.push(Box::new(added));
    RouteSet::new(packages).err().map_or(String::new(), |error| error.to_string())
}

mod claimed {
    use serde::Serialize;
    use utoipa::ToSchema;

    #[derive(Serialize, ToSchema)]
    pub(super) struct Shown {
        other: u8,
    }
    #[utoipa::path(get, path = "/v1/other", responses((status = 200, body = Shown)))]
    pub(super) async fn schema() {}
    #[utoipa::path(get, path = "/v1/credentials", operation_id = "x")]
    pub(super) async fn route() {}
    #[utoipa::path(put, path = "/v1/credentials", operation_id = "x")]
    pub(super) async fn method() {}
    #[utoipa::path(get, path = "/v1/other", operation_id = "list_credentials")]
    pub(super) async fn operation() {}
    #[utoipa::path(put, path = "/v1/credentials/{other}", operation_id = "x")]
    pub(super) async fn spelling() {}
    #[utoipa::path(get, path = "/docs", operation_id = "x")]
    pub(super) async fn docs() {}
}

#[test]
fn two_packages_with_the_same_claim_are_refused_by_name() {
    let words = |actions, barriers| Added { actions, barriers, ..Added::default() };
    assert_eq!(told(Added::default()), "");
    assert_eq!(
        told(words(const { &[Action::new("reveal")] }, &[])),
        "the packages `credentials` and `added` both claim the audit action `reveal`"
    );
    assert_eq!(
        told(words(&[Action::ENTER], &[])),
        "the packages `service` and `added` both claim the audit action `enter`"
    );
    assert_eq!(
        told(words(&[], const { &[Barrier::new("keys")] })),
        "the packages `service` and `added` both claim the barrier `keys`"
    );
    let shape = Some(ErrorShape::keystone(&["/v3"]));
    assert_eq!(
        told(Added { shape, ..Added::default() }),
        "the packages `ec2 credentials` and `added` both claim the error shape of paths under `/v3`"
    );
}

#[test]
fn two_packages_with_the_same_route_or_schema_are_refused_by_name() {
    let of = |routes| told(Added { routes: Some(routes), ..Added::default() });
    let both = "the packages `credentials` and `added` both claim the";
    assert_eq!(
        of(|| OpenApiRouter::new().routes(routes!(claimed::route))),
        format!("{both} route `GET /v1/credentials`")
    );
    assert_eq!(of(|| OpenApiRouter::new().routes(routes!(claimed::method))), "");
    assert_eq!(
        of(|| OpenApiRouter::new().routes(routes!(claimed::operation))),
        format!("{both} operation id `list_credentials`")
    );
    assert_eq!(
        of(|| OpenApiRouter::new().routes(routes!(claimed::schema))),
        format!("{both} schema `Shown`")
    );
    assert_eq!(
        of(|| OpenApiRouter::new().routes(routes!(claimed::docs))),
        "the packages `service` and `added` both claim the route `GET /docs`"
    );
    let spelled = of(|| OpenApiRouter::new().routes(routes!(claimed::spelling)));
    assert!(spelled.contains("`/v1/credentials/{other}`"), "{spelled}");
    assert!(spelled.contains("/v1/credentials/{id}"), "{spelled}");
}
