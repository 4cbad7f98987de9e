//! The work of a step that needs keys.

use async_trait::async_trait;
use sea_orm_migration::{DbErr, SchemaManagerConnection};

/// Which columns of a sealed table count. It stands in the authenticated manifest and is never
/// guessed from the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Plaintext only.
    Plain,
    /// Programs write both; plaintext counts; older rows may lack cells.
    Dual,
    /// As `Dual`, and every row has been filled once.
    Filled,
    /// As `Filled`, and the database refuses rows without cells.
    Required,
    /// Cells count; plaintext is being put back beside them, on the way down.
    Restoring,
    /// Cells only.
    Sealed,
}

impl Phase {
    const ALL: [Self; 6] =
        [Self::Plain, Self::Dual, Self::Filled, Self::Required, Self::Restoring, Self::Sealed];

    /// The word in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Dual => "dual",
            Self::Filled => "filled",
            Self::Required => "required",
            Self::Restoring => "restoring",
            Self::Sealed => "sealed",
        }
    }

    /// The phase that a word names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == word)
    }

    /// Whether a step may move a table from this phase to another: the neighbours, and the same again.
    pub fn leads_to(self, next: Self) -> bool {
        let step = matches!(
            (self, next),
            (Self::Plain, Self::Dual)
                | (Self::Dual, Self::Plain | Self::Filled)
                | (Self::Filled, Self::Dual | Self::Required)
                | (Self::Required, Self::Filled | Self::Sealed)
                | (Self::Sealed, Self::Restoring)
                | (Self::Restoring, Self::Required | Self::Sealed)
        );
        step || self == next
    }

    /// Whether the cells are what counts, and not the plaintext.
    pub fn cells_count(self) -> bool {
        self >= Self::Restoring
    }
}

/// What steps ask of whoever holds the keys. Every call may be made again after a crash: it does what
/// is left. `db` is the step's transaction where one is open, so that phase and schema change together.
#[async_trait]
pub trait Backfill: Send + Sync {
    /// Fails once the run lock is lost. Asked before each statement that commits by itself.
    async fn require_lock(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr>;
    /// Makes the ring's first keys and its manifest.
    async fn make_ring(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr>;
    /// Whether any table has cells, of this program or of another.
    async fn has_cells(&self, db: &SchemaManagerConnection<'_>) -> Result<bool, DbErr>;
    /// The phase of the table.
    async fn phase(&self, db: &SchemaManagerConnection<'_>) -> Result<Phase, DbErr>;
    /// Moves the table to another phase.
    async fn set_phase(&self, db: &SchemaManagerConnection<'_>, phase: Phase) -> Result<(), DbErr>;
    /// Seals every row beside its plaintext, page by page, in transactions of its own.
    async fn seal(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr>;
    /// With writers excluded: seals what is missing, and what does not open to its plaintext.
    async fn seal_rest(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr>;
    /// With writers excluded: fails unless every cell opens to its plaintext.
    async fn verify(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr>;
    /// Opens every cell beside itself, page by page, in transactions of its own.
    async fn open(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr>;
    /// With writers excluded: opens what is missing or differs; fails if a cell does not open.
    async fn open_rest(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr>;
}

/// For listing the steps, and for running those that need no keys. Refuses all work.
#[derive(Debug, Clone, Copy)]
pub struct NoKeys;

impl NoKeys {
    pub(crate) fn refuse<T>() -> Result<T, DbErr> {
        Err(DbErr::Migration("this step needs the key ring, and no key source was given".into()))
    }
}

#[async_trait]
impl Backfill for NoKeys {
    /// sea-orm's own tools take no lock.
    async fn require_lock(&self, _: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        Ok(())
    }

    async fn make_ring(&self, _: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        Self::refuse()
    }

    async fn has_cells(&self, _: &SchemaManagerConnection<'_>) -> Result<bool, DbErr> {
        Self::refuse()
    }

    async fn phase(&self, _: &SchemaManagerConnection<'_>) -> Result<Phase, DbErr> {
        Self::refuse()
    }

    async fn set_phase(&self, _: &SchemaManagerConnection<'_>, _: Phase) -> Result<(), DbErr> {
        Self::refuse()
    }

    async fn seal(&self, _: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        Self::refuse()
    }

    async fn seal_rest(&self, _: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        Self::refuse()
    }

    async fn verify(&self, _: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        Self::refuse()
    }

    async fn open(&self, _: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        Self::refuse()
    }

    async fn open_rest(&self, _: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        Self::refuse()
    }
}
