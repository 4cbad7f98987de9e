//! A row that is about to be written, with plaintext on its way into sealed columns.

use std::fmt;

use sea_orm::{ActiveModelBehavior, ActiveModelTrait, EntityTrait, IntoActiveModel};
use strongroom_entity::{Binding, Label, Sealable, Unset};

use super::{Keyed, Plaintext, RecordError};
use crate::key::{RingError, Share, scope_of};

/// How often keys may roll between preparing and sealing.
const ATTEMPTS: u32 = 4;
/// What the engine's own tables hold of an id.
const LONGEST_ID: usize = 64;

/// An active model, and the values of its sealed columns. Nothing of it is sealed yet, and nothing can be written before.
#[must_use = "a draft is written with `insert` or `update`"]
pub struct Draft<A> {
    row: A,
    pending: Vec<Pending<A>>,
}

struct Pending<A> {
    value: Plaintext,
    binding: fn(&A) -> Result<Binding, Unset>,
    seal: fn(&Share, &mut A, &[u8]) -> Result<(), RingError>,
}

/// Begins a [`Draft`].
pub trait Drafting: Sized {
    /// Gives a sealed column a value, its exact bytes. The columns that the row's cells are bound to must be set when it is
    /// written.
    fn with<L: Label>(self, column: L, value: impl Into<Plaintext>) -> Draft<Self>
    where
        Self: Sealable<L>,
    {
        Draft { row: self, pending: Vec::new() }.with(column, value)
    }
}

impl<A> Drafting for A {}

impl<A> Draft<A> {
    /// Gives another sealed column a value.
    pub fn with<L: Label>(mut self, _: L, value: impl Into<Plaintext>) -> Self
    where
        A: Sealable<L>,
    {
        let (binding, seal) = (<A as Sealable<L>>::binding, Share::seal::<L, A>);
        self.pending.push(Pending { value: value.into(), binding, seal });
        self
    }

    /// Seals the values under the active generation. What comes of it is an active model like any other, for every way of
    /// writing that sea-orm has.
    pub async fn seal(self, room: &impl Keyed) -> Result<A, RecordError> {
        let mut sealed = Self::seal_many(vec![self], room).await?;
        sealed.pop().ok_or(RecordError::Id)
    }

    /// The same of many rows.
    pub async fn seal_many(drafts: Vec<Self>, room: &impl Keyed) -> Result<Vec<A>, RecordError> {
        let keys = room.share();
        let scopes = drafts.iter().flat_map(Self::scopes).collect::<Result<Vec<_>, _>>()?;
        let (mut rows, pending): (Vec<A>, Vec<_>) = drafts.into_iter().map(|draft| (draft.row, draft.pending)).unzip();
        for attempt in 1.. {
            keys.refresh().await?;
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
            let fits = (1..=LONGEST_ID).contains(&binding.id.chars().count());
            if fits { Ok(scope_of(binding.scope.as_deref())) } else { Err(RecordError::Id) }
        })
    }
}

impl<A> Draft<A>
where
    A: ActiveModelTrait + ActiveModelBehavior + Send,
    <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
{
    /// Seals and inserts the row, and reads it back.
    pub async fn insert(self, room: &impl Keyed) -> Result<<A::Entity as EntityTrait>::Model, RecordError> {
        Ok(self.seal(room).await?.insert(room).await?)
    }

    /// Seals and updates the row, and reads it back.
    pub async fn update(self, room: &impl Keyed) -> Result<<A::Entity as EntityTrait>::Model, RecordError> {
        Ok(self.seal(room).await?.update(room).await?)
    }
}

impl<A> fmt::Debug for Draft<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft({} values to seal)", self.pending.len())
    }
}
