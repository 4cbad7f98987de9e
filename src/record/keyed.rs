//! What a connection can do with its key ring.

use std::time::Instant;

use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait, TransactionTrait};
use strongroom_entity::{Bound, Cell, Label, Searchable, WrittenRow};

use super::{Draft, Opened, RecordError, keys, search};
use crate::db::Dialect;
use crate::key::{CellAddress, OpenFailure, ScopedKeys};

/// A cell of one row of many, opened or not.
pub(crate) type OpenedCell<C> = Result<<C as Cell>::Each<Opened>, RecordError>;

/// A connection that holds its key ring: a [`Strongroom`](super::Strongroom) or one of its transactions.
pub trait Keyed: ConnectionTrait + TransactionTrait + HasKeys + Sized {
    /// Opens a sealed column of a row that was read; an `Option` where it may be NULL. This is the one place where a secret
    /// comes out, and each time is an event of `tracing`, target `strongroom::open`: with the column and the row, never the
    /// value.
    ///
    /// Any row that carries the cell and what it is bound to will do: a model, one with its relations, a partial model. What
    /// comes out is wiped when dropped. A cell that does not open is [`RecordError::Unopenable`].
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
    /// use strongroom::prelude::*;
    ///
    /// async fn header(db: &impl Keyed, row: &api_token::Model) -> Result<String, RecordError> {
    ///     let token = db.open(Token, row).await?;
    ///     let note = db.open(Note, row).await?; // may be NULL
    ///     let note = note.as_ref().and_then(|note| note.as_text()).unwrap_or("none");
    ///     Ok(format!("Bearer {} ({note})", token.as_text().unwrap_or_default()))
    /// }
    /// ```
    fn open<L, R>(
        &self,
        column: L,
        row: &R,
    ) -> impl Future<Output = Result<<R::Cell as Cell>::Each<Opened>, RecordError>> + Send
    where
        L: Label,
        R: Bound<L> + Sync,
        R::Cell: Sync,
        <R::Cell as Cell>::Each<Opened>: Send,
    {
        async move {
            keys::learn(self, row.cell().bytes()).await?;
            opened(self.keys(), column, row)
        }
    }

    /// Opens a sealed column of many rows, in their order. The ring is asked once for all of them. A cell that does not open
    /// is the error of its row, and the others are opened.
    fn open_many<'r, L, R>(
        &self,
        column: L,
        rows: impl IntoIterator<Item = &'r R> + Send,
    ) -> impl Future<Output = Result<Vec<OpenedCell<R::Cell>>, RecordError>> + Send
    where
        L: Label,
        R: Bound<L> + Sync + 'r,
        R::Cell: Sync,
        <R::Cell as Cell>::Each<Opened>: Send,
    {
        let rows: Vec<_> = rows.into_iter().collect();
        async move {
            keys::learn(self, rows.iter().filter_map(|row| row.cell().bytes())).await?;
            Ok(rows.into_iter().map(|row| opened(self.keys(), column, row)).collect())
        }
    }

    /// The condition that a sealed column has this value, by its blind index. Composes with whatever sea-orm filters by. For
    /// many values there is [`is_in`](Self::is_in): conditions that are joined by OR are nested, and a thousand are too deep.
    ///
    /// It trusts the index: who can write to the database can give a row the index of another, and [`find_by`](Self::find_by)
    /// notices. It compares exact bytes, without a collation. Fails where a program holds no key for the column's index.
    fn eq<L: Searchable>(&self, _: L, value: impl AsRef<[u8]>) -> Result<SimpleExpr, RecordError> {
        let index = self.keys().index(L::LABEL, value.as_ref())?;
        Ok(L::index().eq(index.to_vec()))
    }

    /// The condition that a sealed column has one of these values, by its blind index: [`eq`](Self::eq) for any number of
    /// values, as one list. No value means no row.
    fn is_in<L, V>(
        &self,
        _: L,
        values: impl IntoIterator<Item = V>,
    ) -> Result<SimpleExpr, RecordError>
    where
        L: Searchable,
        V: AsRef<[u8]>,
    {
        let indexes = values.into_iter().map(|value| self.keys().index(L::LABEL, value.as_ref()));
        let indexes = indexes.collect::<Result<_, _>>()?;
        Ok(search::is_one_of(L::index(), &indexes, Dialect::of(self)))
    }

    /// The row whose sealed column has this value, or `None`. The cell is opened and compared, so an index that was moved is
    /// [`RecordError::Unopenable`]; a program that has no key for the column trusts the index. A row whose own index was taken
    /// away is not found: `keys verify` names it.
    ///
    /// Fails with [`Several`](RecordError::Several) where more than one row has the value, as they may where the index is
    /// not unique: [`find_all_by`](Self::find_all_by) returns them.
    fn find_by<L>(
        &self,
        column: L,
        value: impl AsRef<[u8]> + Send + Sync,
    ) -> impl Future<Output = Result<Option<<L::Entity as EntityTrait>::Model>, RecordError>> + Send
    where
        L: Searchable,
        <L::Entity as EntityTrait>::Model: Bound<L> + Send + Sync,
    {
        async move {
            let mut rows = search::rows(self, column, value.as_ref(), Some(2)).await?;
            match rows.len() {
                0 | 1 => Ok(rows.pop()),
                _ => Err(RecordError::Several { label: L::LABEL }),
            }
        }
    }

    /// Every row whose sealed column has this value, in no order. The cells are opened and compared, as in
    /// [`find_by`](Self::find_by).
    fn find_all_by<L>(
        &self,
        column: L,
        value: impl AsRef<[u8]> + Send + Sync,
    ) -> impl Future<Output = Result<Vec<<L::Entity as EntityTrait>::Model>, RecordError>> + Send
    where
        L: Searchable,
        <L::Entity as EntityTrait>::Model: Bound<L> + Send + Sync,
    {
        async move { search::rows(self, column, value.as_ref(), None).await }
    }

    /// Seals and inserts all of them in one statement, or none: as many as the engine takes values in one.
    fn insert_many<A>(
        &self,
        drafts: Vec<Draft<A>>,
    ) -> impl Future<Output = Result<(), RecordError>> + Send
    where
        A: WrittenRow,
    {
        async move { keys::under_stored_keys!(self, Draft::insert_all(&drafts, self)) }
    }
}

impl<C: ConnectionTrait + TransactionTrait + HasKeys> Keyed for C {}

/// The types with keys: the connection and the transaction of this module. Other crates cannot implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a connection without keys",
    label = "holds no key ring",
    note = "load a `strongroom::record::Strongroom` from the connection once, and pass that or one of its transactions"
)]
pub trait HasKeys: Sync {
    #[doc(hidden)]
    fn keys(&self) -> &ScopedKeys;
    /// When the transaction began, if it is one.
    #[doc(hidden)]
    fn begun(&self) -> Option<Instant>;
}

fn opened<L: Label, R: Bound<L>>(
    keys: &ScopedKeys,
    column: L,
    row: &R,
) -> Result<<R::Cell as Cell>::Each<Opened>, RecordError> {
    let binding = row.binding();
    let place = CellAddress::of(L::LABEL, &binding);
    let opened =
        row.cell().try_map(|cell| Ok(Opened::new(column, keys.open_at(&place, cell)?, &binding)));
    traced(column, binding.id, opened)
}

pub(super) fn traced<L: Label, T>(
    _: L,
    id: String,
    opened: Result<T, OpenFailure>,
) -> Result<T, RecordError> {
    match opened {
        Ok(opened) => {
            tracing::debug!(target: "strongroom::open", label = L::LABEL, id, "opened");
            Ok(opened)
        }
        Err(reason) => {
            tracing::warn!(target: "strongroom::open", label = L::LABEL, id, %reason, "does not open");
            Err(RecordError::Unopenable { label: L::LABEL, id, reason })
        }
    }
}
