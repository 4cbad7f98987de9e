//! A host program: its name, its steps, and the table that sea-orm's own tools read.

use std::collections::BTreeSet;

use sea_orm::DynIden;
use sea_orm_migration::{MigrationTrait, MigratorTraitSelf};
use strongroom_entity::history::Model;

use super::HostError;

/// The kind of a host's steps in the history.
pub(super) const KIND: &str = "host";
/// What the history's column holds.
const LONGEST_NAME: usize = 255;

pub(super) struct Program {
    name: String,
    pub(super) steps: Vec<Box<dyn MigrationTrait>>,
    pub(super) table: DynIden,
}

impl Program {
    /// sea-orm does not notice two steps of one name, and runs only the first.
    pub(super) fn new(name: &str, migrator: &impl MigratorTraitSelf) -> Result<Self, HostError> {
        if name.is_empty() || name.contains('/') {
            return Err(HostError::Name(name.to_owned()));
        }
        let program = Self {
            name: name.to_owned(),
            steps: migrator.migrations(),
            table: migrator.migration_table_name(),
        };
        let mut seen = BTreeSet::new();
        for step in program.steps.iter().map(|step| step.name()) {
            if !seen.insert(step) {
                return Err(HostError::Duplicate(step.to_owned()));
            }
            if program.in_history(step).chars().count() > LONGEST_NAME {
                return Err(HostError::Name(program.in_history(step)));
            }
        }
        Ok(program)
    }

    pub(super) fn step(&self, number: usize) -> Option<&dyn MigrationTrait> {
        self.steps.get(number.checked_sub(1)?).map(|step| &**step)
    }

    pub(super) fn has(&self, step: &str) -> bool {
        self.steps.iter().any(|known| known.name() == step)
    }

    /// What a step is called there.
    pub(super) fn in_history(&self, step: &str) -> String {
        format!("{}/{step}", self.name)
    }

    /// Whose step a row is about, and which; `None` for a row that is no host's.
    pub(super) fn of(row: &Model) -> Option<(&str, &str)> {
        if row.kind == KIND { row.name.split_once('/') } else { None }
    }

    /// The step that a row is about, if it is one of this program.
    pub(super) fn own_step<'a>(&self, row: &'a Model) -> Option<&'a str> {
        Self::of(row).filter(|(program, _)| *program == self.name).map(|(_, step)| step)
    }

    /// The same for the other programs of the database.
    pub(super) fn foreign_step<'a>(&self, row: &'a Model) -> Option<&'a str> {
        Self::of(row).filter(|(program, _)| *program != self.name).map(|(_, step)| step)
    }
}

#[cfg(test)]
mod tests {
    use sea_orm_migration::{DbErr, MigrationName, SchemaManager, async_trait};

    use super::*;

    struct Named(&'static str);

    impl MigrationName for Named {
        fn name(&self) -> &str {
            self.0
        }
    }

    #[async_trait::async_trait]
    impl MigrationTrait for Named {
        async fn up(&self, _: &SchemaManager) -> Result<(), DbErr> {
            Ok(())
        }
    }

    struct Steps(&'static [&'static str]);

    impl MigratorTraitSelf for Steps {
        fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
            self.0.iter().map(|name| Box::new(Named(name)) as Box<dyn MigrationTrait>).collect()
        }
    }

    #[test]
    fn names_that_the_history_could_not_tell_apart_are_refused() {
        assert!(Program::new("billing", &Steps(&["a", "b/c"])).is_ok());
        assert!(
            matches!(Program::new("billing", &Steps(&["a", "b", "a"])), Err(HostError::Duplicate(name)) if name == "a")
        );
        for name in ["", "a/b", &"x".repeat(255)] {
            assert!(
                matches!(Program::new(name, &Steps(&["a"])), Err(HostError::Name(_))),
                "{name}"
            );
        }
    }
}
