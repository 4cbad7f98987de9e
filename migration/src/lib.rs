//! Strongroom's schema steps, one file each, forward and back.
//!
//! The steps hold no key. What needs keys is asked of a [`Backfill`] that the runner injects. What
//! differs between engines stands in `sql/`, one folder an engine.

mod adoption;
mod backfill;
mod engine;
mod grants;
mod journal;
mod m0001_create_credential;
mod m0002_create_key_ring;
mod m0003_add_sealed_columns;
mod m0004_seal_credential;
mod m0005_require_sealed;
mod m0006_drop_plaintext;
mod m0007_scrub_free_space;
mod m0008_create_policy;
mod m0009_policy_1;
mod m0010_create_audit;
mod m0011_policy_2;
mod m0012_carry_lineage;
mod phase;
mod phase_step;
mod policy_step;
mod sql;
mod sql_step;
mod stage;
mod step;

use std::sync::Arc;

use sea_orm_migration::sea_query::{Alias, DynIden, IntoIden as _};
use sea_orm_migration::{MigrationTrait, MigratorTraitSelf};

pub use adoption::{Adoption, Limit, added_type, binary_collation};
pub use backfill::{Backfill, NoKeys, RunLock};
pub use engine::Engine;
pub use grants::{Grants, POLICIES};
pub use m0002_create_key_ring::RING;
pub use phase::{Phase, Transition};
pub use phase_step::Phases;
pub use sql::{RUNNER, Sql};
pub use stage::{Stage, begin};
pub use step::Step;

/// Runs SQL that is made at run time as a step runs its own: see the module of the journal. `text` is a paragraph a statement.
pub use journal::run as run_sql;

/// The steps in order, with what they need.
pub struct Migrator {
    /// Does the work that needs keys.
    pub backfill: Arc<dyn Backfill>,
    /// Does the work on accounts and grants.
    pub grants: Arc<dyn Grants>,
    /// The table that step 1 takes over or gives back instead of making or dropping one.
    pub adopted: Option<Adoption>,
}

impl Migrator {
    /// For looking at the steps.
    pub fn without_keys() -> Self {
        Self { backfill: Arc::new(NoKeys), grants: Arc::new(NoKeys), adopted: None }
    }

    /// Every step, in order; the number of the n-th is n.
    pub fn steps(&self) -> Vec<Box<dyn Step>> {
        let backfill = || self.backfill.clone();
        vec![
            Box::new(m0001_create_credential::Migration {
                backfill: backfill(),
                adopted: self.adopted.clone(),
            }),
            Box::new(m0002_create_key_ring::Migration(backfill())),
            Box::new(m0003_add_sealed_columns::step(backfill())),
            Box::new(m0004_seal_credential::step(backfill())),
            Box::new(m0005_require_sealed::step(backfill())),
            Box::new(m0006_drop_plaintext::step(backfill())),
            Box::new(m0007_scrub_free_space::Migration(backfill())),
            Box::new(m0008_create_policy::step(backfill())),
            Box::new(m0009_policy_1::step(self.grants.clone())),
            Box::new(m0010_create_audit::step(backfill())),
            Box::new(m0011_policy_2::step(self.grants.clone())),
            Box::new(m0012_carry_lineage::Migration(backfill())),
        ]
    }
}

impl MigratorTraitSelf for Migrator {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        self.steps().into_iter().map(|step| step as Box<dyn MigrationTrait>).collect()
    }

    /// A table of our own: the host program may be a sea-orm program with migrations too.
    fn migration_table_name(&self) -> DynIden {
        Alias::new("strongroom_migrations").into_iden()
    }
}
