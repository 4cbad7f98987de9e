//! A loaded key ring: seals and opens without touching the database.

mod cell;
mod fresh;
mod inspect;
mod late;
mod scope;
mod within;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DatabaseConnection};
use strongroom_entity::{Binding, BlindIndex, Bound, Cell, Label, Sealable, Sealed, key};
use strongroom_migration::Phase;

use super::key_rows::{self, Wanted};
use super::manifest_row::{self, Verified, read_manifest, write_manifest};
use super::{CellAddress, Generation, Manifest, OpenFailure, RingAccess, RingError};
use crate::crypto::{
    BLIND_INDEX_LENGTH, ColumnIndexKey, ColumnKey, DataKey, Envelope, IndexKey, KeyId, Opened,
    RingId, RootKey, blind_index,
};

pub use inspect::BadKey;

/// A program notices a roll or a change of phase within this time.
pub const LIFETIME: Duration = Duration::from_millis(500);

/// For how long tasks go on while one of them reads the manifest.
const GRACE: Duration = Duration::from_millis(250);

/// The keys of one database, shared by every task of a program.
pub struct Ring {
    access: RingAccess,
    /// Whether [`Ring::reload`] reads every data key. Otherwise keys are learnt as cells and scopes ask for them.
    is_whole: bool,
    state: RwLock<State>,
}

struct State {
    id: RingId,
    manifest: Manifest,
    /// The operator's last acceptance of an older manifest when this was loaded.
    acceptance: Option<String>,
    read_at: Instant,
    /// When a task last set out to read it.
    asked_at: Instant,
    /// The database went back when it was read last: nothing goes on from memory.
    went_back: bool,
    /// The manifest is to be read again, however young it is.
    is_stale: bool,
    data: HashMap<KeyId, Arc<Entry>>,
    /// Ids, by scope and generation.
    by_scope: HashMap<String, BTreeMap<Generation, KeyId>>,
    index: IndexKey,
    columns: HashMap<(KeyId, &'static str), Arc<ColumnKey>>,
    index_columns: HashMap<&'static str, Arc<ColumnIndexKey>>,
}

impl State {
    fn key_of(&self, scope: &str, generation: Generation) -> Option<KeyId> {
        self.by_scope.get(scope)?.get(&generation).copied()
    }

    /// Whether the manifest is new enough, or a task is reading it and the others may go on meanwhile.
    fn will_do(&self) -> bool {
        let age = self.read_at.elapsed();
        !self.went_back
            && !self.is_stale
            && (age < LIFETIME || age < LIFETIME + GRACE && self.asked_at.elapsed() < GRACE)
    }
}

struct Entry {
    scope: String,
    generation: Generation,
    key: DataKey,
}

impl Ring {
    /// Makes the ring of a database that has none; does nothing otherwise.
    pub async fn make(db: &impl ConnectionTrait, root: &RootKey) -> Result<(), RingError> {
        manifest_row::make(db, root).await
    }

    /// Loads the ring.
    pub async fn load(
        db: &impl ConnectionTrait,
        access: impl Into<RingAccess>,
    ) -> Result<Self, RingError> {
        Self::load_as(db, access.into(), true).await
    }

    /// Loads the ring without its data keys, of which there is one for each scope and generation: for work on one table,
    /// which [prepares](Ring::prepare) and [learns](Ring::learn) what it needs.
    pub(crate) async fn load_without_keys(
        db: &impl ConnectionTrait,
        access: RingAccess,
    ) -> Result<Self, RingError> {
        Self::load_as(db, access, false).await
    }

    async fn load_as(
        db: &impl ConnectionTrait,
        access: RingAccess,
        is_whole: bool,
    ) -> Result<Self, RingError> {
        let (roots, floor) = (access.roots(), access.floor());
        let asked_at = Instant::now();
        let acceptance = floor.acceptance();
        let verified = read_manifest(db, roots, floor).await?;
        let root = roots.find(&verified.manifest.root_id)?;
        let index = key_rows::index_key(db, root, &verified.ring).await?;
        let wanted = if is_whole { Wanted::All } else { Wanted::None };
        let data_keys = key_rows::data_keys(db, root, &verified.ring, wanted).await?;
        let state = State {
            id: verified.ring,
            manifest: verified.manifest,
            acceptance,
            read_at: asked_at,
            asked_at,
            went_back: false,
            is_stale: false,
            data: HashMap::new(),
            by_scope: HashMap::new(),
            index,
            columns: HashMap::new(),
            index_columns: HashMap::new(),
        };
        let ring = Self { access, is_whole, state: RwLock::new(state) };
        ring.keep(data_keys);
        Ok(ring)
    }

    /// Wipes the wrapped keys of a retired generation; how many. Their rows stay, so that no id is used twice.
    pub(crate) async fn wipe(
        &self,
        db: &impl ConnectionTrait,
        generation: Generation,
    ) -> Result<u64, RingError> {
        key_rows::wipe(db, generation).await
    }

    /// Reads everything again from what is committed, and forgets keys that are not.
    pub async fn reload(&self, db: &impl ConnectionTrait) -> Result<(), RingError> {
        self.reload_whole(db).await
    }

    /// Reads the manifest again when it is older than [`LIFETIME`]. Of many tasks one does it; the others go on meanwhile,
    /// but not for longer than a roll waits for them.
    pub async fn refresh(&self, db: &impl ConnectionTrait) -> Result<(), RingError> {
        if self.read().will_do() {
            return Ok(());
        }
        {
            let mut state = self.write();
            // Another task may have set out meanwhile.
            if state.will_do() {
                return Ok(());
            }
            state.asked_at = Instant::now();
        }
        self.refresh_now(db).await
    }

    /// Reads the manifest again. Keys that came since are [learnt](Ring::learn) as they are met.
    pub async fn refresh_now(&self, db: &impl ConnectionTrait) -> Result<(), RingError> {
        self.reread_manifest(db).await
    }

    /// Writes down on this host that the committed manifest was seen, where the ring was loaded with a memory.
    pub async fn remember(&self, db: &DatabaseConnection) -> Result<(), RingError> {
        if self.access.floor().has_raised(self.manifest().epoch) {
            Ok(())
        } else {
            self.access.floor().remember(db, self.access.roots()).await
        }
    }

    /// Loads the keys that these cells name, where they came after the ring was loaded, and the manifest that knows their
    /// generation.
    pub async fn learn<'a>(
        &self,
        db: &impl ConnectionTrait,
        cells: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), RingError> {
        self.learn_keys(db, &Self::named(cells)).await
    }

    /// The ids of the keys that cells name.
    fn named<'a>(cells: impl IntoIterator<Item = &'a [u8]>) -> BTreeSet<KeyId> {
        cells
            .into_iter()
            .filter_map(|cell| Envelope::parse(cell).ok())
            .map(|envelope| envelope.key_id())
            .collect()
    }

    /// The manifest as last read.
    pub fn manifest(&self) -> Manifest {
        self.read().manifest.clone()
    }

    /// The phase of a table, as the manifest last read has it.
    pub fn phase(&self, table: &str) -> Option<Phase> {
        self.read().manifest.phase(table)
    }

    /// The generation that seals.
    pub fn active(&self) -> Generation {
        self.read().manifest.active
    }

    /// The manifest as the database has it now, from inside a transaction too.
    pub(crate) async fn read_manifest(
        &self,
        db: &impl ConnectionTrait,
    ) -> Result<Manifest, RingError> {
        Ok(self.read_verified(db).await?.manifest)
    }

    /// Changes the manifest. What this ring remembers changes only with [`Ring::reload`], once the
    /// transaction is committed.
    pub async fn change_manifest(
        &self,
        db: &impl ConnectionTrait,
        change: impl FnOnce(&mut Manifest) -> Result<(), RingError>,
    ) -> Result<Manifest, RingError> {
        let before = self.read_verified(db).await?;
        let mut next = before.manifest.clone();
        change(&mut next)?;
        if next != before.manifest {
            write_manifest(db, &before, next.clone()).await?;
        }
        Ok(next)
    }

    /// Makes sure that there is a data key for each scope in the active generation, so that sealing
    /// need not wait. Where programs make keys at the same moment, one of them wins. A scope
    /// whose key does not unwrap stays without one: sealing for it fails, and for it alone.
    pub async fn prepare(
        &self,
        db: &impl ConnectionTrait,
        scopes: impl IntoIterator<Item = String>,
    ) -> Result<(), RingError> {
        self.make_missing(db, &scopes.into_iter().collect()).await
    }

    /// Opens a cell in its place.
    pub fn open_at(&self, place: &CellAddress, cell: &[u8]) -> Result<Opened, OpenFailure> {
        self.open_known(place, cell)
    }

    /// Seals a value into a row that is about to be written, with its blind index where the column has one.
    pub fn seal<L: Label, R: Sealable<L>>(
        &self,
        row: &mut R,
        plaintext: &[u8],
    ) -> Result<(), RingError> {
        let binding = row
            .binding()
            .map_err(|unset| RingError::Database(sea_orm::DbErr::AttrNotSet(unset.0.into())))?;
        self.seal_for(&binding, row, plaintext)
    }

    /// The same where it is known already what the row's cells are bound to.
    pub(crate) fn seal_for<L: Label, R: Sealable<L>>(
        &self,
        binding: &Binding,
        row: &mut R,
        plaintext: &[u8],
    ) -> Result<(), RingError> {
        let cell = self.seal_at(&CellAddress::of(L::LABEL, binding), plaintext)?;
        let index = R::IS_INDEXED.then(|| BlindIndex::from_digest(self.index(L::LABEL, plaintext)));
        row.put(Sealed::from_envelope(cell), index);
        Ok(())
    }

    /// Opens a cell of a row that was read; an `Option` where the column may be NULL.
    pub fn open<L: Label, R: Bound<L>>(
        &self,
        row: &R,
    ) -> Result<<R::Cell as Cell>::Each<Opened>, OpenFailure> {
        row.cell().try_map(|cell| self.open_at(&CellAddress::of(L::LABEL, &row.binding()), cell))
    }

    /// The blind index of a value in a column.
    pub fn index(&self, label: &'static str, value: &[u8]) -> [u8; BLIND_INDEX_LENGTH] {
        blind_index(&self.index_column(label), label, value)
    }

    /// The generation of the key that a cell names, by its header alone.
    pub(crate) fn generation_of(&self, key_id: KeyId) -> Option<Generation> {
        self.read().data.get(&key_id).map(|entry| entry.generation)
    }

    fn id(&self) -> RingId {
        self.read().id
    }

    fn keep(&self, keys: Vec<(key::Model, DataKey)>) {
        let mut state = self.write();
        for (row, key) in keys {
            let (Ok(id), Ok(generation)) =
                (KeyId::try_from(row.id), Generation::try_from(row.generation))
            else {
                continue;
            };
            state.by_scope.entry(row.scope.clone()).or_default().insert(generation, id);
            state.data.insert(id, Arc::new(Entry { scope: row.scope, generation, key }));
        }
    }

    /// A panic elsewhere cannot leave the state half-written: every change is one insert or one swap.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
