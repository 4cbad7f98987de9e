//! What a component can be called.

/// A component's name becomes part of its accounts' names, where 32 characters are all there is: `[a-z][a-z0-9_]{0,17}`,
/// the end neither `_a` nor `_b`, or its role could be another component's login.
pub fn is_component_name(name: &str) -> bool {
    name.len() <= 18
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !(name.ends_with("_a") || name.ends_with("_b"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_a_policy_takes() {
        for name in ["api", "a", "compute2", "a_c", "abcdefghijklmnopqr"] {
            assert!(is_component_name(name), "{name}");
        }
        for name in [
            "",
            "2api",
            "_api",
            "Api",
            "a-b",
            "a.b",
            "api_a",
            "api_b",
            "abcdefghijklmnopqrs",
            "ápi",
        ] {
            assert!(!is_component_name(name), "{name}");
        }
    }
}
