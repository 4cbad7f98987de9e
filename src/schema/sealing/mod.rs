//! The phase machine: sealing the columns of a table, and back. Strongroom's own steps and a host program's use it alike.
//!
//! Promises: a table goes from one phase to the next, forward and back, under the run lock; after
//! a crash the same call goes on; whatever could not be given back is refused before anything happens; in every phase the
//! database itself refuses plaintext in a cell column, and a row that would lose a value; where cells count, it refuses to
//! move a row away from what its cells are bound to.
//!
//! Does not promise: comments, grants and, on PostgreSQL, the place of a column that was dropped; uniqueness as a
//! collation sees it (a blind index compares bytes).

pub(super) mod create_table;
mod error;
mod guard;
mod inspect;
mod lease;
mod original;
mod plan;
mod rebuild;
mod scrub;
mod stage;
mod text;
mod work;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr};
use sea_orm_migration::sea_query::{Table, TableCreateStatement};
use sea_orm_migration::{SchemaManager, SchemaManagerConnection};
use strongroom_entity::{SealedTable, own_table};
use strongroom_migration::Phase;

pub use error::Unsealable;
#[cfg(feature = "sqlite")]
pub(crate) use guard::GUARDS_THAT_READ;
pub use inspect::{holds_writers, is_half_way, missing_guards};
use lease::{HeldLock, Lease};
pub(super) use plan::counted;
pub use plan::plan_sql;
use text::Piece;
pub(super) use work::{Work, settled};

use crate::db::Lock;
use crate::key::RingAccess;
use crate::reseal::Options;

/// Moves tables to a phase, for the steps of a host program. Clones share the run lock.
///
/// | phase | columns that count | what the database refuses |
/// | --- | --- | --- |
/// | plain | plaintext | |
/// | dual, filled | plaintext; cells beside it | plaintext in a cell. A row that is changed loses its cells, to be sealed again |
/// | required | plaintext; cells beside it | also what a program writes that knows only plaintext |
/// | restoring, on the way back | cells | plaintext in a cell, or from anybody but the engine; rows without cells, or moved away |
/// | sealed | cells | plaintext in a cell; rows without cells, or moved away from what these are bound to |
///
/// A program that knows only plaintext writes up to `filled`, and one with sealed columns from `sealed` on.
///
/// A step that seals a table returns `Some(false)` from `use_transaction`, and calls [`Sealing::migrate_to`] with
/// [`Phase::Sealed`] on its way up and with [`Phase::Plain`] on its way down; or several steps do, each with a phase of its
/// own. Run by a [`HostRunner`](super::HostRunner) that [lends](super::HostRunner::lending_to) it the run lock, or by
/// sea-orm's own loop: then each call takes the lock for itself.
#[derive(Clone)]
pub struct Sealing {
    access: RingAccess,
    options: Options,
    lease: Lease,
}

impl Sealing {
    /// The ring must be there: see [`install_ring`](super::install_ring).
    pub fn new(access: impl Into<RingAccess>) -> Self {
        Self { access: access.into(), options: Options::default(), lease: Lease::default() }
    }

    /// How its runs are to behave, and who is told of their progress: rows a page, rests, limits, a request to stop.
    #[must_use]
    pub fn with_options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// Brings a table to a phase, forward or back, one stage after the other. After a crash the same call goes on, and so
    /// does one with another phase. On a mock connection it only says the SQL that it would run.
    ///
    /// Programs write on, but for a moment at the end of a stage. On MySQL and MariaDB a write is refused in that moment
    /// with error 1205, whose text names Strongroom: the statement alone failed, and is to be tried again. A process that is
    /// killed in that moment leaves it so until the same call, or one with another phase, is made again.
    ///
    /// To end it early, ask through [`Options::stop`]. A future that is dropped is like a process that is killed.
    ///
    /// The error carries why as the source of [`DbErr::TryIntoErr`]: [`Unsealable`], a
    /// [`ResealError`](crate::reseal::ResealError), or a [`LockError`](crate::db::LockError) when another run is alive.
    ///
    /// ```
    /// # mod api_token {
    /// #     use sea_orm::entity::prelude::*;
    /// #     use strongroom::prelude::*;
    /// #     #[sea_orm::model]
    /// #     #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    /// #     #[sea_orm(table_name = "api_token")]
    /// #     #[sealed(label = "api_token")]
    /// #     pub struct Model {
    /// #         #[sea_orm(primary_key, auto_increment = false)]
    /// #         pub id: String,
    /// #         #[sealed(plain = "token")]
    /// #         pub token_sealed: Sealed<Token>,
    /// #     }
    /// #     impl ActiveModelBehavior for ActiveModel {}
    /// # }
    /// # use sea_orm_migration::prelude::*;
    /// use strongroom::entity::SealedEntity as _;
    /// use strongroom::migration::Phase;
    /// use strongroom::schema::Sealing;
    ///
    /// struct SealToken(Sealing);
    /// # impl MigrationName for SealToken {
    /// #     fn name(&self) -> &str { "m0007_seal_token" }
    /// # }
    ///
    /// #[async_trait::async_trait]
    /// impl MigrationTrait for SealToken {
    ///     fn use_transaction(&self) -> Option<bool> {
    ///         Some(false) // pages of rows are committed as they are done
    ///     }
    ///
    ///     async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
    ///         self.0.migrate_to(manager, api_token::Entity::TABLE, Phase::Sealed).await
    ///     }
    ///
    ///     async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
    ///         self.0.migrate_to(manager, api_token::Entity::TABLE, Phase::Plain).await
    ///     }
    /// }
    /// ```
    ///
    /// A table whose columns were sealed from the start goes to [`Phase::Sealed`] and nowhere else: its guards are made, or
    /// made anew after its description has changed. The unique keys on its blind indexes are those that the host made.
    pub async fn migrate_to(
        &self,
        manager: &SchemaManager<'_>,
        table: &'static SealedTable,
        to: Phase,
    ) -> Result<(), DbErr> {
        let db = outside(manager)?;
        if db.is_mock_connection() {
            return plan::say(db, table, to).await;
        }
        let held = self.hold(db, table).await?;
        let done = self.work(table, &held).migrate_to(manager, to).await;
        held.end().await;
        done
    }

    /// Creates a table whose columns are sealed from the start, with its guards. After a crash the same call continues.
    ///
    /// `statement` makes the table; one that is there already is sealed as [`Sealing::migrate_to`] seals it.
    pub async fn create_table(
        &self,
        manager: &SchemaManager<'_>,
        mut statement: TableCreateStatement,
        table: &'static SealedTable,
    ) -> Result<(), DbErr> {
        manager.create_table(statement.if_not_exists().take()).await?;
        self.migrate_to(manager, table, Phase::Sealed).await
    }

    /// Drops a table with sealed columns, and takes it out of the ring's care. Its rows are lost. After a crash the same
    /// call continues.
    pub async fn drop_table(
        &self,
        manager: &SchemaManager<'_>,
        table: &'static SealedTable,
    ) -> Result<(), DbErr> {
        self.forget(manager, table).await?;
        manager.drop_table(Table::drop().table(table.name).if_exists().take()).await
    }

    /// Takes a table out of the ring's care that is about to be dropped, with its guards and what is in quarantine of it. One
    /// with plaintext columns must be in phase `plain`. Safe to run again, also once the table is gone.
    pub async fn forget(
        &self,
        manager: &SchemaManager<'_>,
        table: &'static SealedTable,
    ) -> Result<(), DbErr> {
        let db = outside(manager)?;
        if db.is_mock_connection() {
            return plan::say_piece(
                db,
                table,
                Piece::DropGuards,
                &format!("{} forgotten", table.name),
            )
            .await;
        }
        let held = self.hold(db, table).await?;
        let done = self.work(table, &held).forget(manager).await;
        held.end().await;
        done
    }

    /// Writes a table anew, so that free space in the database's files holds no plaintext. Not promised: logs, replicas,
    /// backups, and the disk below the files.
    pub async fn scrub(
        &self,
        manager: &SchemaManager<'_>,
        table: &'static SealedTable,
    ) -> Result<(), DbErr> {
        let db = outside(manager)?;
        if db.is_mock_connection() {
            return plan::say_piece(db, table, Piece::Scrub, &format!("{} scrubbed", table.name))
                .await;
        }
        let held = self.hold(db, table).await?;
        let done = self.work(table, &held).scrub(manager).await;
        held.end().await;
        done
    }

    pub(super) fn borrow(&self, lock: &Arc<Lock>) {
        self.lease.borrow(lock);
    }

    /// Takes the run lock, unless a runner lent one.
    async fn hold(
        &self,
        db: &DatabaseConnection,
        table: &'static SealedTable,
    ) -> Result<HeldLock, DbErr> {
        if own_table(table.name).is_some() {
            return Err(Unsealable::Ours(table.name).into());
        }
        self.lease.hold(db).await
    }

    fn work(&self, table: &'static SealedTable, held: &HeldLock) -> Work {
        Work {
            table,
            roots: Some(self.access.roots().clone()),
            floor: self.access.floor().clone(),
            options: self.options.clone(),
            lock: held.lock().clone(),
            is_prepared: AtomicBool::default(),
        }
    }
}

/// Work that commits by itself needs the connection, and no transaction of somebody else's.
fn outside<'m>(manager: &'m SchemaManager<'_>) -> Result<&'m DatabaseConnection, DbErr> {
    match manager.get_connection() {
        SchemaManagerConnection::Connection(db) => Ok(db),
        _ => Err(Unsealable::InTransaction.into()),
    }
}
