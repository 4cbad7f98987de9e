//! Whether a right of somebody else's matters to the policy: `policy check`, `doctor` and each new session judge by this.

use strongroom_migration::Engine;

use super::Policy;
use super::state::Object;
use super::wanted::Target;

/// Says whether the policy leaves an account of others alone. PUBLIC is never such an account.
pub(crate) fn is_known(policy: &Policy, account: &str) -> bool {
    let user = account.rsplit_once('@').map_or(account, |(user, _)| user);
    user != "PUBLIC" && (policy.known.contains(account) || policy.known.contains(user))
}

/// Says whether a right of somebody else's, or of everybody, reaches what the policy governs.
pub(super) fn reaches(target: &Target, policy: &Policy, object: &Object, privilege: &str) -> bool {
    match object {
        Object::Server => {
            ["SELECT", "INSERT", "UPDATE", "DELETE", "ALL PRIVILEGES"].contains(&privilege)
        }
        Object::Database(_) if target.engine == Engine::Postgres => false,
        Object::Database(pattern) => {
            is_like(&target.schema, pattern) || is_like_ours(target.names.prefix(), pattern)
        }
        // Who can make things there can put them before ours.
        Object::Schema(schema) => *schema == target.schema && privilege == "CREATE",
        _ => object.table().is_some_and(|(schema, table)| {
            let is_ours = policy.tables().contains(table) || table.starts_with("strongroom_");
            schema.starts_with(target.names.prefix()) || schema == target.schema && is_ours
        }),
    }
}

/// Says whether what everybody may do is news. Any other table of the schema counts too, unless everybody is known.
pub(crate) fn reaches_by_public(
    target: &Target,
    policy: &Policy,
    object: &Object,
    privilege: &str,
) -> bool {
    let is_here = object.table().is_some_and(|(schema, _)| schema == target.schema);
    reaches(target, policy, object, privilege) || is_here && !policy.known.contains("PUBLIC")
}

/// Says whether a pattern fits some database whose name begins so.
fn is_like_ours(prefix: &str, pattern: &str) -> bool {
    let plain = pattern.replace("\\_", "_");
    plain.starts_with(prefix)
        || (0..prefix.len()).any(|length| {
            plain.get(..length).is_some_and(|start| prefix.starts_with(start))
                && plain.get(length..).is_some_and(|rest| rest.starts_with('%'))
        })
}

/// Matches patterns of database names: `%` is any text, `_` any character, and a backslash takes that away.
pub(super) fn is_like(name: &str, pattern: &str) -> bool {
    let mut pattern_rest = pattern.chars();
    match pattern_rest.next() {
        None => name.is_empty(),
        Some('%') => {
            let rest = pattern_rest.as_str();
            name.char_indices()
                .map(|(at, _)| name.get(at..))
                .chain([Some("")])
                .flatten()
                .any(|tail| is_like(tail, rest))
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
    fn patterns_that_fit_our_view_schemas_are_found() {
        for (pattern, fits) in [
            ("sr_1_api", true),
            ("sr\\_1\\_%", true),
            ("sr\\_%", true),
            ("%", true),
            ("sr_2_api", false),
            ("test", false),
            ("test\\_%", false),
        ] {
            assert_eq!(is_like_ours("sr_1_", pattern), fits, "{pattern}");
        }
    }

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
