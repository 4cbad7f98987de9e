//! The paths that a client may have signed, from the path that a forwarder gives.
//!
//! Clients of S3 sign each segment percent-encoded, dot segments and repeated slashes included. Clients of other services
//! remove those first, and encode each segment once or, as most do, once more than on the wire. Forwarders give the path raw,
//! as on the wire or as signed; the signature tells which of these paths the client meant.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::canonical::encoded_bytes;

/// Returns the paths that a client of `service` may have signed, each once.
pub(super) fn candidates<'a>(given: &'a str, service: &str) -> Vec<Cow<'a, str>> {
    let mut paths = vec![Cow::Borrowed(given), Cow::Owned(respelt(given))];
    if !is_s3(service) {
        let normal = normalised(given);
        let spellings =
            [given, &normal].map(|path| [again(path), respelt(path), again(&respelt(path))]);
        paths.push(Cow::Owned(normal.clone()));
        paths.extend(spellings.into_iter().flatten().map(Cow::Owned));
    }
    distinct(paths)
}

/// Returns the paths that a client may have signed under Version 2: as given, or encoded.
pub(super) fn candidates_of_version_2(given: &str) -> Vec<Cow<'_, str>> {
    distinct(vec![Cow::Borrowed(given), Cow::Owned(respelt(given))])
}

/// Whether the service takes paths as they are: S3, and its relatives such as `s3-outposts` and `s3express`.
pub(super) fn is_s3(service: &str) -> bool {
    service == "s3" || service == "s3express" || service.starts_with("s3-")
}

fn distinct(mut paths: Vec<Cow<'_, str>>) -> Vec<Cow<'_, str>> {
    let mut place = 0;
    while place < paths.len() {
        let (before, after) = paths.split_at(place);
        if after.first().is_some_and(|path| before.contains(path)) {
            paths.remove(place);
        } else {
            place += 1;
        }
    }
    paths
}

/// Encodes each segment in the one way that signatures know, whichever characters were encoded before.
fn respelt(path: &str) -> String {
    let segments: Vec<_> =
        path.split('/').map(|part| encoded_bytes(&Cow::from(percent_decode_str(part)))).collect();
    segments.join("/")
}

/// Encodes each segment once more: `%20` becomes `%2520`.
fn again(path: &str) -> String {
    let segments: Vec<_> = path.split('/').map(|part| encoded_bytes(part.as_bytes())).collect();
    segments.join("/")
}

/// Removes dot segments (RFC 3986, section 5.2.4) and empty segments; a slash at the end stays.
fn normalised(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
    }
    let end = if kept.is_empty() || !path.ends_with('/') { "" } else { "/" };
    format!("/{}{end}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_paths_are_encoded_and_never_normalised() {
        for service in ["s3", "s3express", "s3-outposts"] {
            assert_eq!(candidates("/b/a=1 (2)", service), ["/b/a=1 (2)", "/b/a%3D1%20%282%29"]);
            assert_eq!(candidates("/b/../a//c/", service), ["/b/../a//c/"]);
            assert_eq!(candidates("/b/%c3%A9%2fx", service), ["/b/%c3%A9%2fx", "/b/%C3%A9%2Fx"]);
        }
    }

    #[test]
    fn other_paths_are_normalised_and_encoded_once_or_twice() {
        assert_eq!(candidates("/", "ec2"), ["/"]);
        assert_eq!(
            candidates("/services/./x/../Cloud", "ec2"),
            ["/services/./x/../Cloud", "/services/Cloud"]
        );
        assert_eq!(candidates("/a%20b", "ec2"), ["/a%20b", "/a%2520b"].to_vec());
        assert_eq!(candidates("/a b", "ec2"), ["/a b", "/a%20b", "/a%2520b"]);
        assert_eq!(candidates("/../x/..", "s3x"), ["/../x/..", "/"]);
        assert_eq!(candidates("//example//", "service"), ["//example//", "/example/"]);
    }

    #[test]
    fn a_percent_sign_that_encodes_nothing_is_itself() {
        assert_eq!(candidates("/100%", "s3"), ["/100%", "/100%25"]);
        assert_eq!(candidates_of_version_2("/%zz"), ["/%zz", "/%25zz"]);
    }
}
