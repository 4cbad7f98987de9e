//! Requirements of RFC 9110 and 9112 on every request.

use std::str::FromStr as _;

use axum::extract::Request;
use axum::http::uri::{Authority, PathAndQuery};
use axum::http::{HeaderMap, StatusCode, Uri, Version, header};
use axum::middleware::Next;
use axum::response::Response;

use super::last_answer::last_answer;
use super::problem::Problem;
use super::settings::Limits;

/// Bytes of a request's header names and values.
const HEADER_BYTES: usize = 48 << 10;

/// Refuses malformed requests.
pub(super) async fn require(limits: Limits, request: Request, next: Next) -> Response {
    match headers(&limits, request.headers()).and_then(|()| host(&request)) {
        Ok(()) => next.run(request).await,
        // The following bytes on the connection may not be a request.
        Err(problem) => last_answer(problem),
    }
}

/// Returns the target without its last slash. Keeps `…/OS-EC2/`, which addresses a credential with an empty access key:
/// a list of all secrets of the user would be the wrong answer.
pub(super) fn without_last_slash(target: &Uri) -> Option<Uri> {
    let path =
        target.path().strip_suffix('/').filter(|path| !path.is_empty() && !path.ends_with('/'))?;
    if path.ends_with("/OS-EC2") {
        return None;
    }
    let query = target.query().map_or(String::new(), |query| format!("?{query}"));
    let mut parts = target.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::from_str(&format!("{path}{query}")).ok()?);
    Uri::from_parts(parts).ok()
}

fn headers(limits: &Limits, headers: &HeaderMap) -> Result<(), Problem> {
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() <= limits.header_count && bytes <= HEADER_BYTES {
        return Ok(());
    }
    let detail = format!(
        "a request may have {} headers, of {HEADER_BYTES} bytes together",
        limits.header_count
    );
    Err(Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", detail))
}

/// One `Host`, and a valid one (RFC 9112, section 3.2); under HTTP/2 `:authority` may stand for it (RFC 9113, section 8.3.1).
fn host(request: &Request) -> Result<(), Problem> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (first, more) = (hosts.next(), hosts.next());
    if more.is_some() {
        return Err(malformed("the header `Host` is given more than once"));
    }
    let authority = request.uri().authority();
    let Some(host) = first else {
        let is_needed = request.version() >= Version::HTTP_11
            && (request.version() < Version::HTTP_2 || authority.is_none());
        return if is_needed { Err(malformed("the header `Host` is missing")) } else { Ok(()) };
    };
    let host = host.to_str().ok().filter(|host| is_host(host));
    let Some(host) = host else {
        return Err(malformed("the header `Host` is not HOST or HOST:PORT"));
    };
    let differs = |authority: &Authority| !authority.as_str().eq_ignore_ascii_case(host);
    if request.version() >= Version::HTTP_2 && authority.is_some_and(differs) {
        return Err(malformed("the header `Host` differs from `:authority`"));
    }
    Ok(())
}

/// `HOST`, `HOST:PORT` or `[V6]:PORT`, without a user.
fn is_host(text: &str) -> bool {
    let Ok(authority) = Authority::from_str(text) else { return false };
    let port = text
        .strip_prefix(authority.host())
        .and_then(|rest| if rest.is_empty() { Some("") } else { rest.strip_prefix(':') });
    !authority.host().is_empty()
        && port
            .is_some_and(|port| port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn malformed(detail: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "host", detail)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn told(version: Version, target: &str, hosts: &[&str]) -> bool {
        let mut request = Request::builder().version(version).uri(target);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        host(&request.body(Body::empty()).unwrap()).is_ok()
    }

    #[test]
    fn a_request_has_one_valid_host() {
        let one = |host: &str| told(Version::HTTP_11, "/healthz", &[host]);
        for host in [
            "localhost",
            "localhost:8443",
            "127.0.0.1",
            "[::1]",
            "[::1]:8443",
            "a-b.example.",
            "LOCALHOST",
        ] {
            assert!(one(host), "{host}");
        }
        for host in [
            "",
            " ",
            "a b",
            "a, b",
            "user@host",
            "a/b",
            "http://a",
            "a:b",
            "a:1:2",
            "a:123456",
            "::1",
            "a#b",
            "a?b",
        ] {
            assert!(!one(host), "{host}");
        }
        for version in [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2] {
            assert!(!told(version, "/", &["a", "a"]), "{version:?}");
        }
        assert!(
            told(Version::HTTP_10, "/", &[])
                && !told(Version::HTTP_11, "/", &[])
                && !told(Version::HTTP_2, "/", &[])
        );
        assert!(told(Version::HTTP_11, "https://a/", &["b"]), "the target's own host counts");
        assert!(!told(Version::HTTP_11, "https://a/", &[]));
        assert!(
            told(Version::HTTP_2, "https://a/", &[]) && told(Version::HTTP_2, "https://a/", &["A"])
        );
        assert!(!told(Version::HTTP_2, "https://a/", &["b"]));
    }

    #[test]
    fn a_slash_at_the_end_is_taken_away_once() {
        let without = |target: &str| {
            without_last_slash(&target.parse().unwrap()).map(|target| target.to_string())
        };
        assert_eq!(without("/v1/credentials/?limit=1").as_deref(), Some("/v1/credentials?limit=1"));
        assert_eq!(without("https://a/healthz/").as_deref(), Some("https://a/healthz"));
        for target in ["/", "/healthz", "/healthz//", "/v3/users/u/credentials/OS-EC2/", "*", "//"]
        {
            assert_eq!(without(target), None, "{target}");
        }
    }
}
