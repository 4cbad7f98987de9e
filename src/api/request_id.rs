//! A name for each request, in the answer, the access log and the audit rows.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use super::service::Service;

/// Where it stands in requests and answers.
pub(super) const HEADER: &str = "x-request-id";
const LONGEST: usize = 64;

/// A request's name: the caller's own, if it is short and plain, so that it can be followed across services.
#[derive(Debug, Clone)]
pub(super) struct RequestId(String);

impl Default for RequestId {
    fn default() -> Self {
        Self(Uuid::new_v4().to_string())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl RequestId {
    /// Anything else is not repeated: it would stand in logs.
    fn of(given: Option<&HeaderValue>) -> Self {
        let plain = |text: &&str| {
            (1..=LONGEST).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        given.and_then(|value| value.to_str().ok()).filter(plain).map_or_else(Self::default, |text| Self(text.to_owned()))
    }
}

/// The component that turned out to ask, for the access log.
#[derive(Debug, Clone, Default)]
pub(super) struct Named(Arc<OnceLock<String>>);

impl Named {
    pub(super) fn set(&self, component: &str) {
        let _ = self.0.set(component.to_owned());
    }
}

/// Names the request, and writes the access log: the route and not the path, which may hold an access key.
pub(super) async fn follow(State(service): State<Arc<Service>>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let (id, named) = (RequestId::of(request.headers().get(HEADER)), Named::default());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("-".to_owned(), |path| path.as_str().to_owned());
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(named.clone());
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(HEADER, value);
    }
    let component = named.0.get().map_or("-", String::as_str);
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    service.metrics.answered(component, &route, status, took);
    tracing::info!(target: "strongroom::access", request = id.0, component, %method, route, status, ms = took.as_millis());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_name_is_kept_if_it_is_plain() {
        let of = |text: &str| RequestId::of(HeaderValue::from_str(text).ok().as_ref()).to_string();
        assert_eq!(of("req-4f_2.a"), "req-4f_2.a");
        for odd in ["", "a b", "a\"b", &"x".repeat(65), "{secret}"] {
            assert_ne!(of(odd), odd);
        }
    }
}
