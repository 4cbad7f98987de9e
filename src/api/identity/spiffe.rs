//! SPIFFE IDs, as <https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md> has them.
//!
//! Exactly the grammar: no port, user, query, fragment or percent-encoding, and no second spelling of one name.

use strongroom::policy::is_component_name;

const LONGEST: usize = 2048;
const LONGEST_TRUST_DOMAIN: usize = 255;

/// A well-formed ID, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SpiffeId<'a> {
    pub(super) trust_domain: &'a str,
    segments: Vec<&'a str>,
}

impl<'a> SpiffeId<'a> {
    pub(super) fn parse(uri: &'a str) -> Option<Self> {
        let rest = uri.strip_prefix("spiffe://").filter(|_| uri.len() <= LONGEST)?;
        let mut parts = rest.split('/');
        let trust_domain = parts.next().filter(|name| is_trust_domain(name))?;
        let segments: Vec<&str> = parts.collect();
        segments
            .iter()
            .all(|segment| is_segment(segment))
            .then_some(Self { trust_domain, segments })
    }

    /// The component in `…/component/NAME` or `…/component/NAME/…`.
    pub(super) fn component(&self) -> Option<&'a str> {
        match self.segments.as_slice() {
            ["component", name, ..] if is_component_name(name) => Some(name),
            _ => None,
        }
    }
}

/// Whether a trust domain can have this name.
pub(crate) fn is_trust_domain(name: &str) -> bool {
    let plain =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    !name.is_empty() && name.len() <= LONGEST_TRUST_DOMAIN && name.chars().all(plain)
}

/// Dots alone would be a way up in a path, to whoever resolves it.
fn is_segment(segment: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !matches!(segment, "" | "." | "..") && segment.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    /// Everything that may name a component, by another road.
    fn grammar() -> Regex {
        Regex::new(
            r"\Aspiffe://[a-z0-9._-]{1,255}/component/(?<name>[a-z][a-z0-9_]{0,17})(/([A-Za-z0-9_-][A-Za-z0-9._-]*|\.[A-Za-z0-9_-][A-Za-z0-9._-]*|\.\.[A-Za-z0-9._-]+))*\z",
        )
        .unwrap()
    }

    fn expected(uri: &str) -> Option<String> {
        let name = grammar().captures(uri).filter(|_| uri.len() <= 2048)?["name"].to_owned();
        (!name.ends_with("_a") && !name.ends_with("_b")).then_some(name)
    }

    fn parsed(uri: &str) -> Option<String> {
        SpiffeId::parse(uri)?.component().map(str::to_owned)
    }

    #[test]
    fn the_longest_id_and_trust_domain() {
        let (name, long) = ("spiffe://a/component/api/", "a".repeat(255));
        assert_eq!(
            parsed(&format!("{name}{}", "h".repeat(2048 - name.len()))).as_deref(),
            Some("api")
        );
        assert_eq!(parsed(&format!("{name}{}", "h".repeat(2049 - name.len()))), None);
        assert!(is_trust_domain(&long) && !is_trust_domain(&format!("{long}a")));
    }

    proptest! {
        #[test]
        fn no_text_at_all_gets_past_the_grammar(uri in "\\PC*") {
            prop_assert_eq!(parsed(&uri), expected(&uri));
        }

        #[test]
        fn nothing_like_an_id_does_either(uri in "(spiffe|Spiffe|https)://?[a-z0-9._:@%A-]{0,6}(/(component|Component|[a-z_.]{0,3}|[A-Za-z0-9._%?#~:@ -]{0,20})){0,4}/?") {
            prop_assert_eq!(parsed(&uri), expected(&uri));
        }

        #[test]
        fn and_what_is_one_is_read(uri in "spiffe://[a-z0-9._-]{1,20}/component/[a-z][a-z0-9_]{0,18}(/[A-Za-z0-9._-]{0,3}){0,3}") {
            prop_assert_eq!(parsed(&uri), expected(&uri));
        }
    }
}
