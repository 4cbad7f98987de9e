//! What the runner knows about a step before it runs it.

use sea_orm_migration::MigrationTrait;

use crate::Sql;

/// A schema step. Its number is its place in the list of steps.
pub trait Step: MigrationTrait {
    /// Every piece of SQL that the step may run; the history keeps a checksum of it.
    fn sql(&self) -> Vec<Sql>;

    /// Whether the step asks for keys, so that a missing key is noticed before anything happens.
    fn needs_keys(&self) -> bool {
        true
    }

    /// What going up destroys, for a person to agree to.
    fn up_destroys(&self) -> Option<&'static str> {
        None
    }

    /// What going down destroys, or gives away.
    fn down_destroys(&self) -> Option<&'static str>;

    /// The data work of going up, for a plan.
    fn data_work(&self) -> Option<&'static str> {
        None
    }
}
