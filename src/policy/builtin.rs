//! The compiled-in policies, one a version, each brought by a migration.

use strongroom_migration::POLICIES;

use super::{ComponentKeys, source::Source};

/// The version that `policy apply` brings a database to.
pub(crate) const NEWEST: u32 = 2;

/// The text of a version.
pub(crate) fn builtin(version: u32) -> Option<&'static str> {
    let place = usize::try_from(version).ok()?.checked_sub(1)?;
    POLICIES.get(place).copied()
}

/// The components that the newest one declares.
pub fn builtin_components() -> Vec<String> {
    let source = builtin(NEWEST)
        .and_then(|text| Source::parse("builtin", text, &ComponentKeys::default()).ok());
    source.into_iter().flat_map(|source| source.components.into_keys()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::ComponentKeys;
    use crate::policy::source::Source;

    #[test]
    fn every_version_is_there_and_says_which_it_is() {
        for version in 1..=NEWEST {
            let source =
                Source::parse("builtin", builtin(version).unwrap(), &ComponentKeys::default())
                    .unwrap();
            assert_eq!(source.version.unwrap().0, version);
        }
        assert!(builtin(0).is_none());
        assert!(builtin(NEWEST + 1).is_none());
    }
}
