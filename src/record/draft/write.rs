//! Writing a draft: the statement itself finds the row by its id and its owners.

use sea_orm::{ActiveModelBehavior, DbErr, EntityTrait as _, IntoActiveModel, QueryFilter as _};
use strongroom_entity::{Binding, WrittenRow};

use super::{Draft, ModelOf};
use crate::db::Dialect;
use crate::record::keys::under_stored_keys;
use crate::record::same_row::is_stored_as;
use crate::record::{Keyed, RecordError};

impl<A: WrittenRow> Draft<A> {
    /// Seals and inserts the row, and reads it back. The id and the owners that a trigger or `before_save` has given it must
    /// be those that its cells were sealed for: [`RecordError::Rebound`] otherwise, and the row is there, unless a
    /// transaction takes it back.
    pub async fn insert(self, db: &impl Keyed) -> Result<A::Stored, RecordError> {
        under_stored_keys!(db, self.inserted(db))
    }

    async fn inserted(&self, db: &impl Keyed) -> Result<A::Stored, RecordError> {
        let (row, sealed_for) = self.sealed(db).await?;
        let stored = row.insert_into(db).await?;
        require_same(&A::binding_of(&stored), &sealed_for)?;
        Ok(stored)
    }
}

impl<A> Draft<A>
where
    A: WrittenRow<Stored = ModelOf<A>> + ActiveModelBehavior,
    ModelOf<A>: IntoActiveModel<A>,
{
    /// Seals and updates the row, and reads it back.
    ///
    /// The statement finds the row by its id and by the owners that its cells are sealed for, byte by byte. Where it finds
    /// none, because the row is gone, belongs to another owner or has moved since it was read, the error is
    /// [`RecordError::Rebound`] and nothing was written.
    ///
    /// A row moves to another owner when the draft sets that owner and a value for each cell of the row. The statement then
    /// finds it by the owners that it had: those of the row that a value of the draft was [opened](Keyed::open) from, or of
    /// [`moved_from`](Draft::moved_from).
    ///
    /// ```
    /// # mod webhook {
    /// #     use sea_orm::entity::prelude::*;
    /// #     use strongroom::prelude::*;
    /// #     #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    /// #     #[sea_orm(table_name = "webhook")]
    /// #     #[sealed(label = "webhook", scope(tenant_id))]
    /// #     pub struct Model {
    /// #         #[sea_orm(primary_key, auto_increment = false)]
    /// #         pub id: String,
    /// #         pub tenant_id: String,
    /// #         pub secret: Sealed<Secret>,
    /// #     }
    /// #     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    /// #     pub enum Relation {}
    /// #     impl ActiveModelBehavior for ActiveModel {}
    /// # }
    /// use sea_orm::{ActiveValue::Set, IntoActiveModel as _};
    /// use strongroom::prelude::*;
    /// use webhook::Secret;
    ///
    /// async fn give_to(db: &Strongroom, row: webhook::Model, tenant: &str) -> Result<webhook::Model, RecordError> {
    ///     let secret = db.open(Secret, &row).await?;
    ///     let mut row = row.into_active_model();
    ///     row.tenant_id = Set(tenant.to_owned());
    ///     row.with(Secret, secret).update(db).await
    /// }
    /// ```
    pub async fn update(self, db: &impl Keyed) -> Result<ModelOf<A>, RecordError> {
        under_stored_keys!(db, self.updated(db))
    }

    pub(super) async fn updated(&self, db: &impl Keyed) -> Result<ModelOf<A>, RecordError> {
        let (row, sealed_for) = self.sealed(db).await?;
        let row = ActiveModelBehavior::before_save(row, db, false).await?;
        require_same(&row.bound_to()?, &sealed_for)?;
        let there = is_stored_as(A::TABLE, &self.stored_binding(&sealed_for), Dialect::of(db));
        let stored = match A::Entity::update(row).validate()?.filter(there).exec(db).await {
            Err(DbErr::RecordNotUpdated) => return Err(RecordError::Rebound { id: sealed_for.id }),
            stored => stored?,
        };
        require_same(&A::binding_of(&stored), &sealed_for)?;
        Ok(A::after_save(stored, db, false).await?)
    }

    /// Deletes the row that has this id and these owners. The error is [`RecordError::Rebound`] where none has, and nothing
    /// was deleted.
    ///
    /// sea-orm's own `delete` finds a row by its id alone.
    pub async fn delete(self, db: &impl Keyed) -> Result<(), RecordError> {
        let binding = self.binding()?;
        let row = ActiveModelBehavior::before_delete(self.row, db).await?;
        require_same(&row.bound_to()?, &binding)?;
        let there = is_stored_as(A::TABLE, &binding, Dialect::of(db));
        if A::Entity::delete_many().filter(there).exec(db).await?.rows_affected == 0 {
            return Err(RecordError::Rebound { id: binding.id });
        }
        row.after_delete(db).await?;
        Ok(())
    }

    /// Returns the binding that the stored row has before the update.
    fn stored_binding(&self, sealed_for: &Binding) -> Binding {
        let opened_from = || self.pending.iter().filter_map(|pending| pending.value.opened_from());
        let moved = || {
            opened_from().find(|from| from.id == sealed_for.id && has_same_labels(from, sealed_for))
        };
        let from = self.from.as_ref().or_else(|| moved().filter(|_| self.row.sets_owner()));
        from.unwrap_or(sealed_for).clone()
    }
}

fn has_same_labels(one: &Binding, other: &Binding) -> bool {
    let has = |label: &str| other.owners.iter().any(|(known, _)| *known == label);
    one.owners.len() == other.owners.len() && one.owners.iter().all(|(label, _)| has(label))
}

pub(super) fn require_same(stored: &Binding, sealed_for: &Binding) -> Result<(), RecordError> {
    if stored == sealed_for {
        Ok(())
    } else {
        Err(RecordError::Rebound { id: sealed_for.id.clone() })
    }
}
