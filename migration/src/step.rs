//! What the runner knows about a step before it runs it.

use sea_orm_migration::MigrationTrait;

use crate::{Engine, Phases, Sql};

/// A schema step. Its number is its place in the list of steps.
pub trait Step: MigrationTrait {
    /// The SQL of going up, in order. With that of going down it makes the step's checksum.
    fn up_sql(&self) -> Vec<Sql>;

    /// The SQL of going down, in order.
    fn down_sql(&self) -> Vec<Sql>;

    /// The sealed table that the step moves, and between which phases. Such a step has no SQL of its own.
    fn phases(&self) -> Option<Phases> {
        None
    }

    /// The sealed table that going up rewrites, with all its values.
    fn scrubs(&self) -> Option<&'static str> {
        None
    }

    /// The SQL that runs in place of the step's own, where the database has its own history.
    fn sql_instead(&self, _engine: Engine, _up: bool) -> Option<String> {
        None
    }

    /// Whether the step asks for keys, so that a missing key is noticed before anything happens.
    fn needs_keys(&self) -> bool {
        true
    }

    /// Whether the step makes accounts and grants of the server.
    fn manages_accounts(&self) -> bool {
        false
    }

    /// What going up destroys, for a person to agree to.
    fn up_destroys(&self) -> Option<&'static str> {
        None
    }

    /// What going down destroys, or gives away.
    fn down_destroys(&self) -> Option<&'static str>;

    /// The data work of going up, for a plan.
    fn up_work(&self) -> Option<&'static str> {
        None
    }

    /// The data work of going down, for a plan.
    fn down_work(&self) -> Option<&'static str> {
        None
    }
}
