//! A row that is about to be written, with plaintext on its way into sealed columns.

use std::fmt;

use sea_orm::{ActiveModelBehavior, ActiveModelTrait, EntityTrait, IntoActiveModel};
use strongroom_entity::{Binding, Label, Sealable, SealedTable, Unset};

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
pub struct Draft<A> {
    row: A,
    pending: Vec<Pending<A>>,
}

struct Pending<A> {
    value: Plaintext,
    table: &'static SealedTable,
    binding: BindingOf<A>,
    seal: fn(&Share, &mut A, &[u8]) -> Result<(), RingError>,
}

/// Begins a [`Draft`]; of every active model, by way of [`prelude`](crate::prelude).
pub trait Drafting: Sized {
    /// Gives a sealed column a value, its exact bytes, of which there may be 1 MiB. The columns that the row's cells are bound
    /// to must be set when it is written. Where the column has a blind index, that is made along with the cell.
    fn with<L: Label>(self, column: L, value: impl Into<Plaintext>) -> Draft<Self>
    where
        Self: Sealable<L>,
    {
        Draft { row: self, pending: Vec::new() }.with(column, value)
    }
}

impl<A: ActiveModelTrait> Drafting for A {}

impl<A> Draft<A> {
    /// Gives another sealed column a value.
    pub fn with<L: Label>(mut self, _: L, value: impl Into<Plaintext>) -> Self
    where
        A: Sealable<L>,
    {
        let (binding, seal) = (<A as Sealable<L>>::binding, Share::seal::<L, A>);
        self.pending.push(Pending { value: value.into(), table: <A as Sealable<L>>::TABLE, binding, seal });
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
        let mut sealed = Self::seal_many(vec![self], room).await?;
        sealed.pop().ok_or(RecordError::Id)
    }

    /// The same of many rows, in their order: all of them or none.
    pub async fn seal_many(drafts: Vec<Self>, room: &impl Keyed) -> Result<Vec<A>, RecordError> {
        let keys = room.share();
        let scopes = drafts.iter().flat_map(Self::scopes).collect::<Result<Vec<_>, _>>()?;
        let (mut rows, pending): (Vec<A>, Vec<_>) = drafts.into_iter().map(|draft| (draft.row, draft.pending)).unzip();
        for attempt in 1.. {
            keys.refresh().await?;
            for value in pending.iter().flatten() {
                require_sealed(keys, value.table)?;
            }
            keys.prepare(scopes.iter().cloned()).await?;
            let mut each = rows.iter_mut().zip(&pending);
            match each.try_for_each(|(row, pending)| {
                pending.iter().try_for_each(|value| (value.seal)(keys, row, value.value.as_bytes()))
            }) {
                Err(RingError::NoKey) if attempt < ATTEMPTS => {}
                done => {
                    done?;
                    break;
                }
            }
        }
        Ok(rows)
    }

    fn scopes(&self) -> impl Iterator<Item = Result<String, RecordError>> {
        self.pending.iter().map(|value| {
            let binding = (value.binding)(&self.row)?;
            if !(1..=LONGEST_ID).contains(&binding.id.chars().count()) {
                return Err(RecordError::Id);
            }
            let fits = binding.scope.as_ref().is_none_or(|scope| scope.chars().count() <= LONGEST_SCOPE);
            if fits { Ok(scope_of(binding.scope.as_deref())) } else { Err(RecordError::Scope) }
        })
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
    <A::Entity as EntityTrait>::Model: IntoActiveModel<A> + Clone,
{
    /// Seals and inserts the row, and reads it back. What the database, a trigger or `before_save` has made of the columns
    /// that its cells are bound to must be what they were sealed for: [`RecordError::Rebound`] otherwise, and the row is
    /// there, unless a transaction takes it back.
    pub async fn insert(self, room: &impl Keyed) -> Result<<A::Entity as EntityTrait>::Model, RecordError> {
        let sealed_for = self.bindings()?;
        let stored = self.seal(room).await?.insert(room).await?;
        sealed_for.require_same(&stored)?;
        Ok(stored)
    }

    /// Seals and updates the row, and reads it back. A row that moved to another owner since it was read is
    /// [`RecordError::Rebound`], as with [`insert`](Draft::insert).
    pub async fn update(self, room: &impl Keyed) -> Result<<A::Entity as EntityTrait>::Model, RecordError> {
        let sealed_for = self.bindings()?;
        let stored = self.seal(room).await?.update(room).await?;
        sealed_for.require_same(&stored)?;
        Ok(stored)
    }

    fn bindings(&self) -> Result<SealedFor<A>, RecordError> {
        let each = self.pending.iter().map(|value| Ok((value.binding, (value.binding)(&self.row)?)));
        Ok(SealedFor(each.collect::<Result<_, RecordError>>()?))
    }
}

/// What cells were sealed for, and how a row says it of itself.
struct SealedFor<A>(Vec<(BindingOf<A>, Binding)>);

type BindingOf<A> = fn(&A) -> Result<Binding, Unset>;

impl<A: ActiveModelTrait> SealedFor<A> {
    fn require_same<M: IntoActiveModel<A> + Clone>(&self, stored: &M) -> Result<(), RecordError> {
        let stored = stored.clone().into_active_model();
        for (binding_of, sealed_for) in &self.0 {
            if binding_of(&stored)? != *sealed_for {
                return Err(RecordError::Rebound { id: sealed_for.id.clone() });
            }
        }
        Ok(())
    }
}

impl<A> fmt::Debug for Draft<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft({} values to seal)", self.pending.len())
    }
}
