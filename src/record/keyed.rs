//! What a connection can do with its key ring.

use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait, QueryFilter as _};
use strongroom_entity::{Bound, Cell, Label, Searchable};

use super::{Draft, RecordError};
use crate::crypto::Opened;
use crate::key::{Place, Share, Unopened};

/// A connection that holds its key ring: a [`Strongroom`](super::Strongroom) or one of its transactions.
pub trait Keyed: ConnectionTrait + Held {
    /// Opens a sealed column of a row that was read; an `Option` where it may be NULL. This is the one place where a secret
    /// comes out, and each time is an event of `tracing`, target `strongroom::open`: with the column and the row, never the
    /// value.
    fn open<L, R>(&self, column: L, row: &R) -> impl Future<Output = Result<<R::Cell as Cell>::Each<Opened>, RecordError>> + Send
    where
        L: Label,
        R: Bound<L> + Sync,
        R::Cell: Sync,
        <R::Cell as Cell>::Each<Opened>: Send,
    {
        async move {
            self.share().refresh().await?;
            self.share().learn(row.cell().bytes()).await?;
            let binding = row.binding();
            let place = Place::of(L::LABEL, &binding);
            let opened = row.cell().try_map(|cell| self.share().open_at(&place, cell));
            traced(column, binding.id, opened)
        }
    }

    /// The condition that a sealed column has this value, by its blind index. Composes with whatever sea-orm filters by. It
    /// trusts the index: who can write to the database can give a row the index of another, and [`find_by`](Self::find_by)
    /// notices.
    fn eq<L: Searchable>(&self, _: L, value: impl AsRef<[u8]>) -> Result<SimpleExpr, RecordError> {
        let index = self.share().index(L::LABEL, value.as_ref())?;
        Ok(L::index().eq(index.to_vec()))
    }

    /// The row whose sealed column has this value. The cell is opened and compared, so an index that was moved is an error;
    /// a program that has no key for the column trusts the index.
    fn find_by<L>(
        &self,
        column: L,
        value: impl AsRef<[u8]> + Send + Sync,
    ) -> impl Future<Output = Result<Option<<L::Entity as EntityTrait>::Model>, RecordError>> + Send
    where
        L: Searchable,
        <L::Entity as EntityTrait>::Model: Bound<L> + Send + Sync,
        Self: Sized,
    {
        async move {
            let wanted = self.eq(column, &value)?;
            let Some(row) = L::Entity::find().filter(wanted).one(self).await? else { return Ok(None) };
            if self.share().opens::<L>() {
                self.share().refresh().await?;
                self.share().learn(row.cell().bytes()).await?;
                let binding = row.binding();
                let says = says::<L, _>(self.share(), &row, value.as_ref());
                traced(column, binding.id, says)?;
            }
            Ok(Some(row))
        }
    }

    /// Inserts all of them in one statement, or none.
    fn insert_many<A>(&self, drafts: Vec<Draft<A>>) -> impl Future<Output = Result<(), RecordError>> + Send
    where
        A: sea_orm::ActiveModelTrait + Send,
        Self: Sized,
    {
        async move {
            let rows = Draft::seal_many(drafts, self).await?;
            <A::Entity as EntityTrait>::insert_many(rows).exec_without_returning(self).await?;
            Ok(())
        }
    }
}

impl<C: ConnectionTrait + Held> Keyed for C {}

/// Who holds keys: the two connections of this room, and nobody else's.
pub trait Held: Sync {
    #[doc(hidden)]
    fn share(&self) -> &Share;
}

fn says<L: Label, R: Bound<L>>(keys: &Share, row: &R, value: &[u8]) -> Result<(), Unopened> {
    let cell = row.cell().bytes().ok_or(Unopened::Missing)?;
    let opened = keys.open_at(&Place::of(L::LABEL, &row.binding()), cell)?;
    if opened.as_bytes() == value { Ok(()) } else { Err(Unopened::IndexMismatch) }
}

fn traced<L: Label, T>(_: L, id: String, opened: Result<T, Unopened>) -> Result<T, RecordError> {
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
