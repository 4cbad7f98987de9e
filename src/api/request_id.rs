//! A name for each request, in the answer, the access log and the audit rows.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::problem::Problem;
use super::service::Service;
use super::shown_path;

/// Where it stands in requests and answers.
pub(super) const HEADER: &str = "x-request-id";
/// The longest accepted id of a caller. Together with ours it fits into the audit column. `req-UUID` is shorter.
const LONGEST: usize = 41;

/// A request's id: one from the service, which is unique, and the caller's, which may repeat, if it is short and plain.
#[derive(Debug, Clone)]
pub(super) struct RequestId {
    ours: String,
    theirs: Option<String>,
}

impl Default for RequestId {
    fn default() -> Self {
        Self { ours: URL_SAFE_NO_PAD.encode(Uuid::new_v4()), theirs: None }
    }
}

/// `OURS`, or `OURS/THEIRS`. The caller's id cannot contain a slash.
impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.ours)?;
        self.theirs.iter().try_for_each(|theirs| write!(f, "/{theirs}"))
    }
}

impl RequestId {
    /// Anything else is not repeated: it would stand in logs.
    fn of(given: Option<&HeaderValue>) -> Self {
        let plain = |text: &&str| {
            (1..=LONGEST).contains(&text.len())
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        let theirs = given.and_then(|value| value.to_str().ok()).filter(plain).map(str::to_owned);
        Self { theirs, ..Self::default() }
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

/// A line of the access log. It has the route instead of the path, because a path may hold an access key.
pub(super) struct AccessLine<'a> {
    pub(super) id: &'a RequestId,
    pub(super) component: Option<&'a str>,
    pub(super) from: Option<SocketAddr>,
    pub(super) method: Option<&'a Method>,
    pub(super) route: Option<&'a str>,
    /// Of a request without a route.
    pub(super) path: Option<String>,
    pub(super) status: StatusCode,
    pub(super) code: Option<&'static str>,
    pub(super) took: Duration,
}

impl AccessLine<'_> {
    /// Counts the answer and writes the line. Lines of unknown clients are bounded.
    pub(super) fn write(self, service: &Service) {
        let Self { id, component, from, method, route, path, status, code, took } = self;
        let (status, route) = (status.as_u16(), route.unwrap_or("-"));
        service.metrics.answered(component.unwrap_or("-"), route, status, took);
        let left_out = match (component, from) {
            (None, Some(from)) => match service.stranger_lines.take(from.ip()) {
                Some(left_out) => Some(left_out).filter(|left_out| *left_out > 0),
                None => return,
            },
            _ => None,
        };
        tracing::info!(
            target: "strongroom::access",
            request = id.ours,
            caller_request = id.theirs,
            component = component.unwrap_or("-"),
            from = from.map(tracing::field::display),
            method = method.map(tracing::field::display),
            route,
            path,
            status,
            code,
            ms = took.as_millis(),
            left_out,
        );
    }
}

/// Names the request, keeps answers out of caches, and writes the access log.
pub(super) async fn follow(
    State(service): State<Arc<Service>>,
    mut request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let (id, named) = (RequestId::of(request.headers().get(HEADER)), Named::default());
    let (method, from) =
        (request.method().clone(), request.extensions().get::<SocketAddr>().copied());
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let path = route.is_none().then(|| shown_path::shown(request.uri().path()));
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(named.clone());
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(HEADER, value);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let line = AccessLine {
        id: &id,
        component: named.0.get().map(String::as_str),
        from,
        method: Some(&method),
        route: route.as_deref(),
        path,
        status: response.status(),
        code: response.extensions().get::<Problem>().map(Problem::code),
        took: begun.elapsed(),
    };
    line.write(&service);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_name_is_kept_beside_ours_if_it_is_plain() {
        let of = |text: &str| RequestId::of(HeaderValue::from_str(text).ok().as_ref()).to_string();
        let longest = "x".repeat(LONGEST);
        for plain in ["req-4f_2.a", "req-3c1d6f0e-6b1f-4a53-9a53-0d2a1c3b4e5f", &longest] {
            let (ours, theirs) = (of(plain), of(plain));
            assert!(ours.ends_with(&format!("/{plain}")) && ours.len() <= 64, "{ours}");
            assert_ne!(ours, theirs, "two requests have two names");
        }
        for odd in ["", "a b", "a\"b", "a/b", &"x".repeat(LONGEST + 1), "{secret}"] {
            assert_eq!(of(odd).len(), 22, "{odd}");
        }
    }
}
