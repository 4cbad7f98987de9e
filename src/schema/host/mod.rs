//! A host program's own sea-orm migrations, run as Strongroom runs its own.
//!
//! Promises: one run at a time, of this program, of others in the same database, and of Strongroom's own; a history
//! with checksums; a plan that writes nothing; and [`HostRunner::require_current`], which keeps a program from a
//! database that it does not know. sea-orm's own table is kept in step. A database that sea-orm's own loop migrated is
//! taken over with the first run: what that table names counts as applied, under the checksum of that day.
//!
//! Steps are told apart by program and name, `billing/m0001_create_invoice` in the history. Programs that share a
//! database need names of their own, and tables of their own (`migration_table_name`) unless no step of one is called
//! like a step of another.
//!
//! On PostgreSQL and SQLite a step and its history row are one transaction, unless the step says
//! `use_transaction() == Some(false)`. Everywhere else a row says that the step has begun, and another that it is
//! finished. What was killed or failed in between is half-way: the same call runs that step again **from its beginning**,
//! so such a step must look what is left to do (`if_not_exists`, `has_column`). A step that failed half-way may be mended;
//! only one that was finished must stay as it is.
//!
//! For checksums and plans a step runs against a recorder, a `DatabaseConnection` of its own. It must do nothing but
//! through that connection, or ask [`is_recorded`] first. A checksum is over the text of the statements, not over bound values, as the
//! step asks for them where no table has a row: what it does to rows that it first reads does not count. `has_table` and its
//! like are answered both ways, so both ways count. It is over the text that sea-query writes,
//! so an update of sea-query that writes another text makes steps count as edited. Of a table that a step has
//! [sealed](super::Sealing), which one and to which phase counts; the entity behind it may change. A table made by
//! `create_table_from_entity` does not stand still like that: write it out.
//!
//! Does not promise: that a step outside a transaction is fenced. One that goes on after its lease was lost is not written
//! down as finished, and what it did stays.
//!
//! ```
//! use sea_orm_migration::prelude::*;
//! use strongroom::schema::{HostError, HostRunner, Target};
//!
//! struct CreateInvoice;
//! impl MigrationName for CreateInvoice {
//!     fn name(&self) -> &str { "m0001_create_invoice" }
//! }
//! #[async_trait::async_trait]
//! impl MigrationTrait for CreateInvoice {
//!     async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
//!         manager.create_table(Table::create().table("invoice").col(ColumnDef::new("id").integer().primary_key()).take()).await
//!     }
//! }
//!
//! struct Migrator;
//! impl MigratorTrait for Migrator {
//!     fn migrations() -> Vec<Box<dyn MigrationTrait>> { vec![Box::new(CreateInvoice)] }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let url = format!("sqlite://{}/billing.db?mode=rwc", folder.path().display());
//! let db = sea_orm_migration::sea_orm::Database::connect(url).await?;
//! let runner = HostRunner::new(db, "billing", &Migrator)?;
//! match runner.require_current().await {
//!     Err(HostError::Older { pending }) => assert_eq!(pending, ["m0001_create_invoice"]),
//!     other => panic!("{other:?}"),
//! }
//! for step in runner.plan(Target::Up(1)).await? {
//!     println!("{step}");
//! }
//! runner.up().await?;
//! runner.require_current().await?;
//! # Ok(())
//! # }
//! ```

mod answer;
mod checksum;
mod error;
mod event;
mod plan;
mod program;
mod program_state;
mod recorder;
mod recording;
mod run;
mod runner;

pub use error::HostError;
pub use event::StepEvent;
pub use plan::PlannedStep;
pub use recording::is_recorded;
pub use runner::HostRunner;
