//! Rows of the access matrix: for each route, a request that a test sends as each component.

/// One row: a route, and a request of it.
///
/// The tests send the request as each component, and keep the answers as a snapshot. It must therefore have the same answer
/// each time: a request that removes something names what does not exist, and is answered with 404 where it is permitted.
/// A route may have several rows, for example with and without a secret.
///
/// ```
/// use strongroom_api::AccessRow;
///
/// const ACCESS: &[AccessRow] = &[
///     AccessRow::get("/v1/orders"),
///     AccessRow::post("/v1/orders").with_body(r#"{"type":"key"}"#),
///     AccessRow::delete("/v1/orders/{id}").asking("/v1/orders/nothing"),
/// ];
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessRow {
    /// The method in capital letters.
    pub method: &'static str,
    /// The path as the route has it, such as `/v1/orders/{id}`.
    pub path: &'static str,
    /// The path and query that the test asks.
    pub target: &'static str,
    /// The JSON body that the test sends; see [`AccessRow::with_body`].
    pub body: Option<&'static str>,
}

impl AccessRow {
    /// A row that asks the path as it is.
    pub const fn new(method: &'static str, path: &'static str) -> Self {
        Self { method, path, target: path, body: None }
    }

    /// A row for `GET`.
    pub const fn get(path: &'static str) -> Self {
        Self::new("GET", path)
    }

    /// A row for `POST`.
    pub const fn post(path: &'static str) -> Self {
        Self::new("POST", path)
    }

    /// A row for `PUT`.
    pub const fn put(path: &'static str) -> Self {
        Self::new("PUT", path)
    }

    /// A row for `PATCH`.
    pub const fn patch(path: &'static str) -> Self {
        Self::new("PATCH", path)
    }

    /// A row for `DELETE`.
    pub const fn delete(path: &'static str) -> Self {
        Self::new("DELETE", path)
    }

    /// Asks this path and query in place of the route's own.
    #[must_use]
    pub const fn asking(self, target: &'static str) -> Self {
        Self { target, ..self }
    }

    /// Sends this JSON. The text `{now}` in it stands for the time of the request, in ISO 8601.
    #[must_use]
    pub const fn with_body(self, body: &'static str) -> Self {
        Self { body: Some(body), ..self }
    }
}
