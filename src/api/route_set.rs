//! The packages of a program, joined: one router, one description, one list of words.

use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use axum::{Extension, Router};
use utoipa::openapi::OpenApi;

use super::claims::{Claims, RoutesError, operations};
use super::error_shape::{self, ErrorShape};
use super::extension::Routes;
use super::routes::{self, Core};
use super::service::Service;
use super::words::Words;
use super::{bounds, request_id};

/// The routes that a service answers. [`super::Server::bind`] takes them.
pub struct RouteSet {
    router: Router<Arc<Service>>,
    words: Arc<Words>,
    shapes: Arc<[ErrorShape]>,
    packages: Vec<Box<dyn Routes>>,
}

impl RouteSet {
    /// Joins packages with the routes that every service has: health, metrics and the description. Refuses two packages that
    /// claim the same route, word, operation id, schema or error shape.
    pub fn new(packages: Vec<Box<dyn Routes>>) -> Result<Self, RoutesError> {
        let (mut claims, mut words, mut shapes) = (Claims::default(), Words::default(), Vec::new());
        let (mut router, mut description) = (Router::new(), routes::head());
        let mut tags = Vec::new();
        claims.description(Core.package(), &description)?;
        for path in routes::DESCRIPTION {
            claims.route(Core.package(), "GET", path)?;
        }
        for package in
            std::iter::once(&Core as &dyn Routes).chain(packages.iter().map(AsRef::as_ref))
        {
            claim_words(package, &mut claims, &mut words)?;
            shapes.extend(claim_shape(package, &mut claims)?);
            let (of_router, of_package) = package.routes().split_for_parts();
            claims.description(package.package(), &of_package)?;
            add_tags(&mut tags, &of_package);
            description.merge(of_package);
            router = router.merge(of_router);
        }
        let router = router
            .merge(routes::description(&description, &tags))
            .fallback(routes::nothing_here)
            .method_not_allowed_fallback(routes::no_such_method);
        Ok(Self { router, words: Arc::new(words), shapes: shapes.into(), packages })
    }

    /// Returns everything that is answered, within the service's bounds.
    pub(super) fn router(&self, service: &Arc<Service>) -> Router {
        bounds::within(self.router.clone().layer(Extension(self.words.clone())), service)
            .layer(from_fn_with_state(self.shapes.clone(), error_shape::apply))
            .layer(from_fn_with_state(service.clone(), request_id::follow))
            .with_state(service.clone())
    }

    /// Does each package's work of every minute, one after the other.
    pub(super) async fn every_minute(&self, service: &Service) {
        for package in &self.packages {
            package.every_minute(service).await;
        }
    }
}

fn claim_words(
    package: &dyn Routes,
    claims: &mut Claims,
    words: &mut Words,
) -> Result<(), RoutesError> {
    for action in package.actions() {
        claims.take(package.package(), "audit action", action.as_str())?;
        words.actions.insert(*action);
    }
    for barrier in package.barriers() {
        claims.take(package.package(), "barrier", barrier.as_str())?;
        words.barriers.insert(*barrier);
    }
    Ok(())
}

fn claim_shape(
    package: &dyn Routes,
    claims: &mut Claims,
) -> Result<Option<ErrorShape>, RoutesError> {
    let shape = package.error_shape();
    for under in shape.iter().flat_map(|shape| shape.under) {
        claims.take(package.package(), "error shape of paths under", *under)?;
    }
    Ok(shape)
}

/// The page of the description has a heading for each tag, in the packages' order.
fn add_tags(tags: &mut Vec<String>, of: &OpenApi) {
    let operations = of.paths.paths.values().flat_map(operations);
    for tag in operations.flat_map(|(_, operation)| operation.tags.iter().flatten()) {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
}

#[cfg(test)]
mod tests;
