//! Shortens unknown paths for answers and logs, and omits segments that may be keys.

/// Longer segments may be access keys, secrets or ids.
const LONGEST_SEGMENT: usize = 19;
const MOST_SEGMENTS: usize = 8;

/// Returns the path, percent-encoded as received. Replaces long and unusual segments, and cuts paths of many segments.
pub(super) fn shown(path: &str) -> String {
    let mut segments: Vec<_> =
        path.split('/').map(|segment| if is_plain(segment) { segment } else { "…" }).collect();
    if segments.len() > MOST_SEGMENTS + 1 {
        segments.truncate(MOST_SEGMENTS);
        segments.push("…");
    }
    segments.join("/")
}

fn is_plain(segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&()*+,;=:@".contains(&byte);
    segment.len() <= LONGEST_SEGMENT && segment.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_without_what_may_be_a_key() {
        assert_eq!(shown("/v1/credential"), "/v1/credential");
        assert_eq!(shown("/v2.0/tokens/"), "/v2.0/tokens/");
        assert_eq!(shown("/%1b%5B31m"), "/%1b%5B31m");
        assert_eq!(
            shown("/v3/users/0123456789abcdef0123456789abcdef/credentials"),
            "/v3/users/…/credentials"
        );
        assert_eq!(shown("/AKIAIOSFODNN7EXAMPLE"), "/…");
        assert_eq!(shown("/`<script>\u{1b}"), "/…");
        assert_eq!(shown(&"/a".repeat(5000)).len(), "/a".len() * 7 + "/…".len());
        assert_eq!(shown(&format!("/{}", "x".repeat(5000))), "/…");
    }
}
