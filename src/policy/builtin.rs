//! The compiled-in policies, one a version, each brought by a migration.

use strongroom_migration::POLICIES;

/// The version that `policy apply` brings a database to.
pub const NEWEST: u32 = 2;

/// The text of a version.
pub fn builtin(version: u32) -> Option<&'static str> {
    let place = usize::try_from(version).ok()?.checked_sub(1)?;
    POLICIES.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Source;

    #[test]
    fn every_version_is_there_and_says_which_it_is() {
        for version in 1..=NEWEST {
            let source = Source::parse("builtin", builtin(version).unwrap()).unwrap();
            assert_eq!(source.version.unwrap().0, version);
        }
        assert!(builtin(0).is_none());
        assert!(builtin(NEWEST + 1).is_none());
    }
}
