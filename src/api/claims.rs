//! Refuses packages that claim the same, before anything listens: the second would take the first one's place, or axum panics.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{OpenApi, RefOr, Schema};

/// Why packages cannot be joined.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RoutesError {
    /// Two packages claim one thing.
    #[error("the packages `{first}` and `{second}` both claim the {what} `{name}`")]
    Twice {
        /// The kind of thing.
        what: &'static str,
        /// The thing.
        name: String,
        /// The package that came first.
        first: &'static str,
        /// The other one.
        second: &'static str,
    },
    /// Two paths match the same requests.
    #[error("the package `{package}` has the path `{path}`: {reason}")]
    Path {
        /// The package that came second.
        package: &'static str,
        /// Its path.
        path: String,
        /// The router's words, with the other path.
        reason: String,
    },
}

/// What the packages claim so far.
#[derive(Default)]
pub(super) struct Claims {
    by_package: BTreeMap<(&'static str, String), &'static str>,
    /// Every path, in the router that axum asks too.
    paths: matchit::Router<()>,
    paths_seen: BTreeSet<String>,
    schemas: BTreeMap<String, RefOr<Schema>>,
}

impl Claims {
    /// Claims something of a kind.
    pub(super) fn take(
        &mut self,
        package: &'static str,
        what: &'static str,
        name: impl Into<String>,
    ) -> Result<(), RoutesError> {
        let name = name.into();
        match self.by_package.entry((what, name.clone())) {
            Entry::Occupied(first) => {
                Err(RoutesError::Twice { what, name, first: first.get(), second: package })
            }
            Entry::Vacant(place) => {
                place.insert(package);
                Ok(())
            }
        }
    }

    /// Claims a method of a path.
    pub(super) fn route(
        &mut self,
        package: &'static str,
        method: &str,
        path: &str,
    ) -> Result<(), RoutesError> {
        self.take(package, "route", format!("{method} {path}"))?;
        // Another method of the same path is no conflict; another spelling of it is.
        if !self.paths_seen.insert(path.to_owned()) {
            return Ok(());
        }
        self.paths.insert(path, ()).map_err(|error| RoutesError::Path {
            package,
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }

    /// Claims the routes, operation ids and schemas of a description.
    pub(super) fn description(
        &mut self,
        package: &'static str,
        of: &OpenApi,
    ) -> Result<(), RoutesError> {
        for (path, item) in &of.paths.paths {
            for (method, operation) in operations(item) {
                self.route(package, method, path)?;
                if let Some(id) = &operation.operation_id {
                    self.take(package, "operation id", id)?;
                }
            }
        }
        let components = of.components.iter();
        for (name, schema) in components.flat_map(|components| &components.schemas) {
            // Shared ones, such as `Problem`, are the same everywhere.
            if self.schemas.get(name) != Some(schema) {
                self.take(package, "schema", name)?;
                self.schemas.insert(name.clone(), schema.clone());
            }
        }
        Ok(())
    }
}

/// Returns the methods of a path, in capital letters.
pub(super) fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    let all = [
        ("GET", &item.get),
        ("PUT", &item.put),
        ("POST", &item.post),
        ("DELETE", &item.delete),
        ("OPTIONS", &item.options),
        ("HEAD", &item.head),
        ("PATCH", &item.patch),
        ("TRACE", &item.trace),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}
