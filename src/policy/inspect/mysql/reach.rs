//! Whether a right of somebody else's matters to the policy.

use crate::policy::Policy;
use crate::policy::state::Object;
use crate::policy::wanted::Target;

/// Whether somebody else's account is one that the policy leaves alone. What everybody may do is news, whoever is known.
pub(super) fn is_known(policy: &Policy, account: &str) -> bool {
    let user = account.rsplit_once('@').map_or(account, |(user, _)| user);
    user != "PUBLIC" && (policy.known.contains(account) || policy.known.contains(user))
}

/// Whether a right of somebody else's reaches what the policy governs.
pub(super) fn touches(target: &Target, policy: &Policy, object: &Object, privilege: &str) -> bool {
    match object {
        Object::Server => ["SELECT", "INSERT", "UPDATE", "DELETE"].contains(&privilege),
        Object::Database(pattern) => is_like(&target.schema, pattern) || pattern.starts_with(target.names.prefix()),
        _ => object.table().is_some_and(|(schema, table)| {
            schema.starts_with(target.names.prefix()) || schema == target.schema && policy.tables().contains(table)
        }),
    }
}

/// Patterns of database names: `%` is any text, `_` any character, and a backslash takes that away.
fn is_like(name: &str, pattern: &str) -> bool {
    let mut pattern_rest = pattern.chars();
    match pattern_rest.next() {
        None => name.is_empty(),
        Some('%') => {
            let rest = pattern_rest.as_str();
            name.char_indices().map(|(at, _)| name.get(at..)).chain([Some("")]).flatten().any(|tail| is_like(tail, rest))
        }
        Some('_') => {
            let mut name_rest = name.chars();
            name_rest.next().is_some() && is_like(name_rest.as_str(), pattern_rest.as_str())
        }
        Some(c) => {
            let wanted = if c == '\\' { pattern_rest.next().unwrap_or(c) } else { c };
            name.strip_prefix(wanted).is_some_and(|rest| is_like(rest, pattern_rest.as_str()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_names_match_patterns_as_the_server_matches_them() {
        for (name, pattern, fits) in [
            ("test_1", "test_1", true),
            ("test_1", "test\\_1", true),
            ("testx1", "test\\_1", false),
            ("testx1", "test_1", true),
            ("anything", "%", true),
            ("", "%", true),
            ("test_10", "test_1", false),
            ("test_10", "test%0", true),
        ] {
            assert_eq!(is_like(name, pattern), fits, "{name} against {pattern}");
        }
    }
}
