//! A row that is about to be written, with plaintext on its way into sealed columns.

mod upsert;
mod write;

use std::fmt;

use sea_orm::{ActiveModelTrait, EntityTrait};
use strongroom_entity::{Binding, Emptied, Label, Sealable, SealedTable, WrittenRow};

use super::{Keyed, Plaintext, RecordError, keys};
use crate::key::{RingError, ScopedKeys, scope_of};

/// How often keys may roll between preparing and sealing.
const ATTEMPTS: u32 = 4;
/// What the engine's own tables hold of an id.
const LONGEST_ID: usize = 64;
/// The same of a scope.
const LONGEST_SCOPE: usize = 72;

/// An active model, and the values of its sealed columns. Nothing of it is sealed yet, and nothing can be written before.
///
/// ```
/// # mod api_token {
/// #     use sea_orm::entity::prelude::*;
/// #     use strongroom::prelude::*;
/// #     #[sea_orm::model]
/// #     #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
/// #     #[sea_orm(table_name = "api_token")]
/// #     #[sealed(label = "api_token", scope(tenant_id))]
/// #     pub struct Model {
/// #         #[sea_orm(primary_key, auto_increment = false)]
/// #         pub id: Uuid,
/// #         pub tenant_id: String,
/// #         pub token: Sealed<Token>,
/// #         #[sea_orm(unique)]
/// #         pub token_index: BlindIndex<Token>,
/// #         pub note: Option<Sealed<Note>>,
/// #     }
/// #     impl ActiveModelBehavior for ActiveModel {}
/// # }
/// use api_token::{Note, Token};
/// use sea_orm::{ActiveModelTrait as _, ActiveValue::Set, IntoActiveModel as _, TransactionTrait as _};
/// # use sea_orm::prelude::Uuid;
/// use strongroom::prelude::*;
///
/// async fn issue(db: &Strongroom, tenant: &str, token: &str) -> Result<api_token::Model, RecordError> {
///     let row = api_token::ActiveModel { id: Set(Uuid::new_v4()), tenant_id: Set(tenant.to_owned()), ..Default::default() };
///     row.with(Token, token).with(Note, "issued by hand").insert(db).await
/// }
///
/// async fn exchange(db: &Strongroom, row: api_token::Model, token: &str) -> Result<api_token::Model, RecordError> {
///     row.into_active_model().with(Token, token).without(Note).update(db).await
/// }
///
/// // Sealed before the transaction begins, which SQLite asks for where the tenant is new.
/// async fn issue_all(db: &Strongroom, drafts: Vec<Draft<api_token::ActiveModel>>) -> Result<(), RecordError> {
///     let rows = Draft::seal_many(drafts, db).await?;
///     let transaction = db.begin().await?;
///     for row in rows {
///         row.insert(&transaction).await?;
///     }
///     Ok(transaction.commit().await?)
/// }
/// ```
#[must_use = "a draft is written with `insert`, `update`, `upsert` or `delete`"]
pub struct Draft<A: WrittenRow> {
    row: A,
    pending: Vec<Pending<A>>,
    /// The binding that the stored row has before a move.
    from: Option<Binding>,
}

struct Pending<A: WrittenRow> {
    value: Plaintext,
    seal: fn(&ScopedKeys, &Binding, &mut A, &[u8]) -> Result<(), RingError>,
}

/// Begins a [`Draft`]; of every active model, by way of [`prelude`](crate::prelude).
pub trait Drafting: ActiveModelTrait {
    /// Gives a sealed column a value, its exact bytes, of which there may be 1 MiB. The columns that the row's cells are bound
    /// to must be set when it is written. Where the column has a blind index, that is made along with the cell.
    fn with<L: Label>(self, column: L, value: impl Into<Plaintext>) -> Draft<Self>
    where
        Self: Sealable<L> + WrittenRow,
    {
        self.draft().with(column, value)
    }

    /// Gives an optional sealed column a value, or empties it for `None`, its blind index with it.
    fn with_some<L: Label>(self, column: L, value: Option<impl Into<Plaintext>>) -> Draft<Self>
    where
        Self: Emptied<L> + WrittenRow,
    {
        self.draft().with_some(column, value)
    }

    /// Empties an optional sealed column, and its blind index with it.
    fn without<L: Label>(self, column: L) -> Draft<Self>
    where
        Self: Emptied<L> + WrittenRow,
    {
        self.draft().without(column)
    }

    /// Begins a draft without values, such as one to [`delete`](Draft::delete).
    fn draft(self) -> Draft<Self>
    where
        Self: WrittenRow,
    {
        Draft { row: self, pending: Vec::new(), from: None }
    }
}

impl<A: ActiveModelTrait> Drafting for A {}

impl<A: WrittenRow> Draft<A> {
    /// Gives another sealed column a value.
    pub fn with<L: Label>(mut self, _: L, value: impl Into<Plaintext>) -> Self
    where
        A: Sealable<L>,
    {
        self.pending.push(Pending { value: value.into(), seal: ScopedKeys::seal_for::<L, A> });
        self
    }

    /// Gives an optional sealed column a value, or empties it for `None`.
    pub fn with_some<L: Label>(self, column: L, value: Option<impl Into<Plaintext>>) -> Self
    where
        A: Emptied<L>,
    {
        match value {
            Some(value) => self.with(column, value),
            None => self.without(column),
        }
    }

    /// Empties an optional sealed column, and its blind index with it: the database refuses one without the other.
    pub fn without<L: Label>(mut self, _: L) -> Self
    where
        A: Emptied<L>,
    {
        self.row.empty();
        self
    }

    /// Says where a row moves from. [`update`](Draft::update) then finds it by the owners that this row has.
    ///
    /// Needed only where a draft sets an owner and none of its values was [opened](Keyed::open) from the row that moves.
    pub fn moved_from(mut self, stored: &A::Stored) -> Self {
        self.from = Some(A::binding_of(stored));
        self
    }

    /// Seals the values under the active generation, and returns an active model like any other, for other ways of writing
    /// than this type has.
    ///
    /// A cell opens in the row that it was sealed for and in no other: the row must reach the database with this id and these
    /// owners. sea-orm's own `update` finds a row by its id alone and overwrites one of another owner; its `on_conflict`
    /// keeps the stored id, and `update_many` writes several rows. Each of them stores a cell that does not open, and the
    /// value that was there is lost. [`update`](Draft::update) and [`upsert`](Draft::upsert) are the ways that are safe.
    ///
    /// Fails with [`Unset`](RecordError::Unset), [`Id`](RecordError::Id) or [`Scope`](RecordError::Scope) for a row whose cells
    /// could not be bound, with [`NotSealed`](RecordError::NotSealed) where plaintext counts, and with
    /// [`Ring`](RecordError::Ring) where there is no key, or a value is too long. Nothing is written then but, at most, a key
    /// of a new scope.
    pub async fn seal(self, db: &impl Keyed) -> Result<A, RecordError> {
        Ok(self.sealed(db).await?.0)
    }

    /// The same of many rows, in their order: all of them or none.
    pub async fn seal_many(drafts: Vec<Self>, db: &impl Keyed) -> Result<Vec<A>, RecordError> {
        let sealed = Self::all_sealed(&drafts, db).await?;
        Ok(sealed.into_iter().map(|(row, _)| row).collect())
    }

    async fn sealed(&self, db: &impl Keyed) -> Result<(A, Binding), RecordError> {
        Self::all_sealed(std::slice::from_ref(self), db).await?.pop().ok_or(RecordError::Id)
    }

    /// Seals and inserts them in one statement.
    pub(super) async fn insert_all(drafts: &[Self], db: &impl Keyed) -> Result<(), RecordError> {
        let sealed = Self::all_sealed(drafts, db).await?;
        let rows = sealed.into_iter().map(|(row, _)| row);
        A::Entity::insert_many(rows).exec_without_returning(db).await?;
        Ok(())
    }

    /// Returns the rows with their cells, and the bindings that these were sealed for.
    async fn all_sealed(
        drafts: &[Self],
        db: &impl Keyed,
    ) -> Result<Vec<(A, Binding)>, RecordError> {
        let bindings = drafts.iter().map(Self::binding).collect::<Result<Vec<_>, _>>()?;
        for attempt in 1.. {
            keys::refresh(db).await?;
            require_sealed(db.keys(), A::TABLE)?;
            let scopes = bindings.iter().zip(drafts).filter(|(_, draft)| !draft.pending.is_empty());
            keys::prepare(db, scopes.map(|(binding, _)| scope_of(binding.scope.as_deref())))
                .await?;
            let rows = drafts
                .iter()
                .zip(&bindings)
                .map(|(draft, binding)| draft.sealed_for(db.keys(), binding));
            match rows.collect::<Result<Vec<_>, _>>() {
                Err(RingError::NoKey) if attempt < ATTEMPTS => {}
                rows => return Ok(rows?.into_iter().zip(bindings).collect()),
            }
        }
        Err(RingError::NoKey.into())
    }

    fn sealed_for(&self, keys: &ScopedKeys, binding: &Binding) -> Result<A, RingError> {
        let mut row = self.row.clone();
        self.pending.iter().try_for_each(|pending| {
            (pending.seal)(keys, binding, &mut row, pending.value.as_bytes())
        })?;
        Ok(row)
    }

    /// Returns what the cells will be bound to, if they can be.
    fn binding(&self) -> Result<Binding, RecordError> {
        let binding = self.row.bound_to()?;
        if !(1..=LONGEST_ID).contains(&binding.id.chars().count()) {
            return Err(RecordError::Id);
        }
        let fits =
            binding.scope.as_ref().is_none_or(|scope| scope.chars().count() <= LONGEST_SCOPE);
        if fits { Ok(binding) } else { Err(RecordError::Scope) }
    }
}

/// Where plaintext counts, on the way up or down, what is written to a cell alone would be lost.
fn require_sealed(keys: &ScopedKeys, table: &SealedTable) -> Result<(), RecordError> {
    match keys.phase(table.name) {
        Some(phase) if phase.cells_count() => Ok(()),
        phase => Err(RecordError::NotSealed { table: table.name, phase }),
    }
}

/// A stored row.
type ModelOf<A> = <<A as ActiveModelTrait>::Entity as EntityTrait>::Model;

impl<A: WrittenRow> fmt::Debug for Draft<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft({} values to seal)", self.pending.len())
    }
}
