//! A share of a ring: some columns' keys and no others, with the connection that reads the ring.
//!
//! A holder of a share cannot open a column that is not in it, even when it is handed the cell. That binds code that
//! goes through this type: all shares of a process stand on one ring, in one memory.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::DatabaseConnection;
use strongroom_entity::{Binding, Bound, Cell, Label, Sealable};
use strongroom_migration::Phase;

use super::{CellAddress, Manifest, OpenFailure, Ring, RingError};
use crate::crypto::{BLIND_INDEX_LENGTH, Opened};
use crate::db::{self, Patience};

/// For how long a caller's request is held up by conflicts with other sessions.
const BRIEFLY: Duration = Duration::from_secs(2);

/// Some columns of a ring.
pub struct ScopedKeys {
    ring: Arc<Ring>,
    db: DatabaseConnection,
    columns: Option<ScopedColumns>,
}

/// Which columns, by label, and for what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopedColumns {
    /// Opened.
    pub opens: BTreeSet<String>,
    /// Sealed.
    pub seals: BTreeSet<String>,
    /// Found by their blind index, or written with one.
    pub indexes: BTreeSet<String>,
}

impl ScopedKeys {
    /// Every column: for whoever holds the whole ring. `db` must be able to read the ring.
    pub fn whole(ring: Arc<Ring>, db: DatabaseConnection) -> Self {
        Self { ring, db, columns: None }
    }

    /// These columns.
    pub fn of(ring: Arc<Ring>, db: DatabaseConnection, columns: ScopedColumns) -> Self {
        Self { ring, db, columns: Some(columns) }
    }

    /// The ring, for whoever holds all of it.
    pub(crate) fn whole_ring(&self) -> Result<&Arc<Ring>, RingError> {
        if self.columns.is_none() { Ok(&self.ring) } else { Err(RingError::NotShared) }
    }

    pub(super) fn ring(&self) -> &Ring {
        &self.ring
    }

    pub(super) fn db(&self) -> &DatabaseConnection {
        &self.db
    }

    /// See [`Ring::refresh`].
    pub async fn refresh(&self) -> Result<(), RingError> {
        db::retry!(self.ring.refresh(&self.db), Patience::of(BRIEFLY))?;
        self.ring.remember(&self.db).await
    }

    /// See [`Ring::refresh_now`].
    pub async fn refresh_now(&self) -> Result<(), RingError> {
        db::retry!(self.ring.refresh_now(&self.db), Patience::of(BRIEFLY))?;
        self.ring.remember(&self.db).await
    }

    /// See [`Ring::forget_keys`].
    pub(crate) fn forget_keys(&self) {
        self.ring.forget_keys();
    }

    /// See [`Ring::learn`].
    pub async fn learn<'a>(
        &self,
        cells: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), RingError> {
        self.ring.learn(&self.db, cells).await
    }

    /// See [`Ring::prepare`].
    pub async fn prepare(&self, scopes: impl IntoIterator<Item = String>) -> Result<(), RingError> {
        match &self.columns {
            Some(columns) if columns.seals.is_empty() => Err(RingError::NotShared),
            _ => {
                let scopes: BTreeSet<String> = scopes.into_iter().collect();
                // Two nodes of a cluster that make one scope's key meet at the commit.
                let prepare = || self.ring.prepare(&self.db, scopes.iter().cloned());
                db::retry!(prepare(), Patience::of(BRIEFLY))
            }
        }
    }

    /// Whether cells of this column can be opened.
    pub fn opens<L: Label>(&self) -> bool {
        self.require(|columns| &columns.opens, L::LABEL).is_ok()
    }

    /// See [`Ring::phase`].
    pub fn phase(&self, table: &str) -> Option<Phase> {
        self.ring.phase(table)
    }

    /// The manifest as last read.
    pub fn manifest(&self) -> Manifest {
        self.ring.manifest()
    }

    /// See [`Ring::seal`].
    pub fn seal<L: Label, R: Sealable<L>>(
        &self,
        row: &mut R,
        plaintext: &[u8],
    ) -> Result<(), RingError> {
        self.require_seals::<L, R>()?;
        self.ring.seal(row, plaintext)
    }

    pub(crate) fn seal_for<L: Label, R: Sealable<L>>(
        &self,
        binding: &Binding,
        row: &mut R,
        plaintext: &[u8],
    ) -> Result<(), RingError> {
        self.require_seals::<L, R>()?;
        self.ring.seal_for(binding, row, plaintext)
    }

    /// See [`Ring::open`].
    pub fn open<L: Label, R: Bound<L>>(
        &self,
        row: &R,
    ) -> Result<<R::Cell as Cell>::Each<Opened>, OpenFailure> {
        self.require(|columns| &columns.opens, L::LABEL).map_err(|_| OpenFailure::NotShared)?;
        self.ring.open(row)
    }

    /// See [`Ring::open_at`].
    pub fn open_at(&self, place: &CellAddress, cell: &[u8]) -> Result<Opened, OpenFailure> {
        self.require(|columns| &columns.opens, place.label).map_err(|_| OpenFailure::NotShared)?;
        self.ring.open_at(place, cell)
    }

    /// See [`Ring::index`].
    pub fn index(
        &self,
        label: &'static str,
        value: &[u8],
    ) -> Result<[u8; BLIND_INDEX_LENGTH], RingError> {
        self.require(|columns| &columns.indexes, label)?;
        Ok(self.ring.index(label, value))
    }

    fn require_seals<L: Label, R: Sealable<L>>(&self) -> Result<(), RingError> {
        self.require(|columns| &columns.seals, L::LABEL)?;
        if R::IS_INDEXED { self.require(|columns| &columns.indexes, L::LABEL) } else { Ok(()) }
    }

    fn require(
        &self,
        of: impl Fn(&ScopedColumns) -> &BTreeSet<String>,
        label: &str,
    ) -> Result<(), RingError> {
        let shared = self.columns.as_ref().is_none_or(|columns| of(columns).contains(label));
        if shared { Ok(()) } else { Err(RingError::NotShared) }
    }
}
