//! A row that is about to be written, with plaintext on its way into sealed columns.

use std::fmt;

use sea_orm::{ActiveModelBehavior, ActiveModelTrait, EntityTrait, IntoActiveModel};
use strongroom_entity::{Binding, Bound, Label, Sealable, SealedTable, Unset};

use super::{Keyed, Plaintext, RecordError};
use crate::key::{RingError, Share, scope_of};

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
/// async fn issue(room: &Strongroom, tenant: &str, token: &str) -> Result<api_token::Model, RecordError> {
///     let row = api_token::ActiveModel { id: Set(Uuid::new_v4()), tenant_id: Set(tenant.to_owned()), ..Default::default() };
///     row.with(Token, token).with(Note, "issued by hand").insert(room).await
/// }
///
/// async fn exchange(room: &Strongroom, row: api_token::Model, token: &str) -> Result<api_token::Model, RecordError> {
///     row.into_active_model().with(Token, token).update(room).await
/// }
///
/// // Sealed before the transaction begins, which SQLite asks for where the tenant is new.
/// async fn issue_all(room: &Strongroom, drafts: Vec<Draft<api_token::ActiveModel>>) -> Result<(), RecordError> {
///     let rows = Draft::seal_many(drafts, room).await?;
///     let transaction = room.begin().await?;
///     for row in rows {
///         row.insert(&transaction).await?;
///     }
///     Ok(transaction.commit().await?)
/// }
/// ```
#[must_use = "a draft is written with `insert` or `update`"]
pub struct Draft<A: ActiveModelTrait> {
    row: A,
    pending: Vec<Pending<A>>,
}

struct Pending<A: ActiveModelTrait> {
    value: Plaintext,
    table: &'static SealedTable,
    binding: fn(&A) -> Result<Binding, Unset>,
    stored_binding: StoredBinding<A>,
    seal: fn(&Share, &Binding, &mut A, &[u8]) -> Result<(), RingError>,
}

/// Begins a [`Draft`]; of every active model, by way of [`prelude`](crate::prelude).
pub trait Drafting: ActiveModelTrait {
    /// Gives a sealed column a value, its exact bytes, of which there may be 1 MiB. The columns that the row's cells are bound
    /// to must be set when it is written. Where the column has a blind index, that is made along with the cell.
    fn with<L: Label>(self, column: L, value: impl Into<Plaintext>) -> Draft<Self>
    where
        Self: Sealable<L>,
        ModelOf<Self>: Bound<L>,
    {
        Draft { row: self, pending: Vec::new() }.with(column, value)
    }
}

impl<A: ActiveModelTrait> Drafting for A {}

impl<A: ActiveModelTrait> Draft<A> {
    /// Gives another sealed column a value.
    pub fn with<L: Label>(mut self, _: L, value: impl Into<Plaintext>) -> Self
    where
        A: Sealable<L>,
        ModelOf<A>: Bound<L>,
    {
        let (binding, seal) = (<A as Sealable<L>>::binding, Share::seal_for::<L, A>);
        let stored_binding = <ModelOf<A> as Bound<L>>::binding;
        let table = <A as Sealable<L>>::TABLE;
        self.pending.push(Pending { value: value.into(), table, binding, stored_binding, seal });
        self
    }

    /// Seals the values under the active generation. What comes of it is an active model like any other, for ways of writing
    /// that [`insert`](Draft::insert) and [`update`](Draft::update) are not.
    ///
    /// A cell opens in the row that it was sealed for and in no other: the row must reach the database with this id and these
    /// owners. An upsert that finds another row, `update_many`, and a copy under another id store a cell that nothing opens.
    ///
    /// Fails with [`Unset`](RecordError::Unset), [`Id`](RecordError::Id) or [`Scope`](RecordError::Scope) for a row whose cells
    /// could not be bound, with [`NotSealed`](RecordError::NotSealed) where plaintext counts, and with
    /// [`Ring`](RecordError::Ring) where there is no key, or a value is too long. Nothing is written then but, at most, a key
    /// of a new scope.
    pub async fn seal(self, room: &impl Keyed) -> Result<A, RecordError> {
        Ok(self.sealed(room).await?.0)
    }

    /// The same of many rows, in their order: all of them or none.
    pub async fn seal_many(drafts: Vec<Self>, room: &impl Keyed) -> Result<Vec<A>, RecordError> {
        let sealed = Self::all_sealed(drafts, room).await?;
        Ok(sealed.into_iter().map(|(row, _)| row).collect())
    }

    async fn sealed(self, room: &impl Keyed) -> Result<(A, SealedFor<A>), RecordError> {
        Self::all_sealed(vec![self], room).await?.pop().ok_or(RecordError::Id)
    }

    async fn all_sealed(drafts: Vec<Self>, room: &impl Keyed) -> Result<Vec<(A, SealedFor<A>)>, RecordError> {
        let keys = room.share();
        let bindings = drafts.iter().map(Self::bindings).collect::<Result<Vec<_>, _>>()?;
        let scopes = || bindings.iter().flatten().map(|binding| scope_of(binding.scope.as_deref()));
        let (mut rows, pending): (Vec<A>, Vec<_>) = drafts.into_iter().map(|draft| (draft.row, draft.pending)).unzip();
        for attempt in 1.. {
            keys.refresh().await?;
            for value in pending.iter().flatten() {
                require_sealed(keys, value.table)?;
            }
            keys.prepare(scopes()).await?;
            let mut each = rows.iter_mut().zip(&pending).zip(&bindings);
            match each.try_for_each(|((row, pending), bindings)| {
                let mut values = pending.iter().zip(bindings);
                values.try_for_each(|(value, binding)| (value.seal)(keys, binding, row, value.value.as_bytes()))
            }) {
                Err(RingError::NoKey) if attempt < ATTEMPTS => {}
                done => {
                    done?;
                    break;
                }
            }
        }
        let sealed_for = pending
            .into_iter()
            .zip(bindings)
            .map(|(pending, bindings)| SealedFor(pending.into_iter().map(|value| value.stored_binding).zip(bindings).collect()));
        Ok(rows.into_iter().zip(sealed_for).collect())
    }

    /// What each value's cell will be bound to, if it can be.
    fn bindings(&self) -> Result<Vec<Binding>, RecordError> {
        let binding = |value: &Pending<A>| {
            let binding = (value.binding)(&self.row)?;
            if !(1..=LONGEST_ID).contains(&binding.id.chars().count()) {
                return Err(RecordError::Id);
            }
            let fits = binding.scope.as_ref().is_none_or(|scope| scope.chars().count() <= LONGEST_SCOPE);
            if fits { Ok(binding) } else { Err(RecordError::Scope) }
        };
        self.pending.iter().map(binding).collect()
    }
}

/// Where plaintext counts, on the way up or down, what is written to a cell alone would be lost.
fn require_sealed(keys: &Share, table: &SealedTable) -> Result<(), RecordError> {
    match keys.phase(table.name) {
        Some(phase) if phase.cells_count() => Ok(()),
        phase => Err(RecordError::NotSealed { table: table.name, phase }),
    }
}

impl<A> Draft<A>
where
    A: ActiveModelTrait + ActiveModelBehavior + Send,
    ModelOf<A>: IntoActiveModel<A>,
{
    /// Seals and inserts the row, and reads it back. What the database, a trigger or `before_save` has made of the columns
    /// that its cells are bound to must be what they were sealed for: [`RecordError::Rebound`] otherwise, and the row is
    /// there, unless a transaction takes it back.
    pub async fn insert(self, room: &impl Keyed) -> Result<ModelOf<A>, RecordError> {
        let (row, sealed_for) = self.sealed(room).await?;
        let stored = row.insert(room).await?;
        sealed_for.require_same(&stored)?;
        Ok(stored)
    }

    /// Seals and updates the row, and reads it back. A row that moved to another owner since it was read is
    /// [`RecordError::Rebound`], as with [`insert`](Draft::insert).
    pub async fn update(self, room: &impl Keyed) -> Result<ModelOf<A>, RecordError> {
        let (row, sealed_for) = self.sealed(room).await?;
        let stored = row.update(room).await?;
        sealed_for.require_same(&stored)?;
        Ok(stored)
    }
}

/// What a row is once it is stored.
type ModelOf<A> = <<A as ActiveModelTrait>::Entity as EntityTrait>::Model;

/// What cells were sealed for, and how a stored row says it of itself.
struct SealedFor<A: ActiveModelTrait>(Vec<(StoredBinding<A>, Binding)>);

type StoredBinding<A> = fn(&ModelOf<A>) -> Binding;

impl<A: ActiveModelTrait> SealedFor<A> {
    fn require_same(&self, stored: &ModelOf<A>) -> Result<(), RecordError> {
        match self.0.iter().find(|(binding_of, sealed_for)| binding_of(stored) != *sealed_for) {
            Some((_, sealed_for)) => Err(RecordError::Rebound { id: sealed_for.id.clone() }),
            None => Ok(()),
        }
    }
}

impl<A: ActiveModelTrait> fmt::Debug for Draft<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft({} values to seal)", self.pending.len())
    }
}
