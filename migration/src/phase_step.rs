//! A step that moves a sealed table from one phase to another.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use crate::{Backfill, Phase, Sql, Step};

/// The two ends of a step that moves a sealed table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phases {
    /// The table, one of Strongroom's own.
    pub table: &'static str,
    /// The phase before the step, and after its way down.
    pub below: Phase,
    /// The phase after the step.
    pub above: Phase,
}

/// Moves one table. What runs between two phases is the [`Backfill`]'s knowledge.
pub(crate) struct PhaseStep {
    pub(crate) name: &'static str,
    pub(crate) phases: Phases,
    /// The data work, up and down.
    pub(crate) work: (Option<&'static str>, Option<&'static str>),
    /// The losses to confirm, up and down.
    pub(crate) destroys: (Option<&'static str>, Option<&'static str>),
    pub(crate) backfill: Arc<dyn Backfill>,
}

impl MigrationName for PhaseStep {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait]
impl MigrationTrait for PhaseStep {
    /// Pages of rows are committed as they are done, and each transition moves the phase in its own
    /// transaction, so that after a crash the phase says what is left.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.backfill.migrate_to(manager, self.phases, self.phases.above).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.backfill.migrate_to(manager, self.phases, self.phases.below).await
    }
}

impl Step for PhaseStep {
    fn up_sql(&self) -> Vec<Sql> {
        Vec::new()
    }

    fn down_sql(&self) -> Vec<Sql> {
        Vec::new()
    }

    fn phases(&self) -> Option<Phases> {
        Some(self.phases)
    }

    fn up_destroys(&self) -> Option<&'static str> {
        self.destroys.0
    }

    fn down_destroys(&self) -> Option<&'static str> {
        self.destroys.1
    }

    fn up_work(&self) -> Option<&'static str> {
        self.work.0
    }

    fn down_work(&self) -> Option<&'static str> {
        self.work.1
    }
}
