//! Inserting a row, or updating the one that is stored under the same unique key.

use sea_orm::{
    ActiveModelBehavior, ColumnTrait as _, DbErr, EntityTrait, IntoActiveModel, Iterable as _,
    ModelTrait as _, PrimaryKeyToColumn, QueryFilter as _, QuerySelect as _, SqlErr,
    TransactionSession as _,
};
use strongroom_entity::WrittenRow;

use super::write::require_same;
use super::{ATTEMPTS, Draft, ModelOf};
use crate::key::RingError;
use crate::record::{Keyed, RecordError, keys};

type ColumnOf<E> = <E as EntityTrait>::Column;

impl<A> Draft<A>
where
    A: WrittenRow<Stored = ModelOf<A>> + ActiveModelBehavior,
    ModelOf<A>: IntoActiveModel<A> + Sync,
{
    /// Inserts the row, or updates the stored row that has the same values in these columns, and reads it back.
    ///
    /// The columns are those of a primary or unique key, a blind index among them. A stored row keeps its id and its owners,
    /// and the values are sealed for it; every other column that the draft sets is updated. A stored row with other owners
    /// is [`RecordError::Rebound`], and nothing was written.
    ///
    /// ```
    /// # mod oauth_grant {
    /// #     use sea_orm::entity::prelude::*;
    /// #     use strongroom::prelude::*;
    /// #     #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    /// #     #[sea_orm(table_name = "oauth_grant")]
    /// #     #[sealed(label = "oauth_grant", owners(user_id, provider))]
    /// #     pub struct Model {
    /// #         #[sea_orm(primary_key, auto_increment = false)]
    /// #         pub id: String,
    /// #         pub user_id: String,
    /// #         pub provider: String,
    /// #         pub refresh: Sealed<Refresh>,
    /// #     }
    /// #     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    /// #     pub enum Relation {}
    /// #     impl ActiveModelBehavior for ActiveModel {}
    /// # }
    /// use oauth_grant::{Column, Refresh};
    /// use strongroom::prelude::*;
    ///
    /// /// The table has a unique key over (user_id, provider).
    /// async fn keep(db: &Strongroom, row: oauth_grant::ActiveModel, token: &str) -> Result<oauth_grant::Model, RecordError> {
    ///     row.with(Refresh, token).upsert(db, [Column::UserId, Column::Provider]).await
    /// }
    /// ```
    pub async fn upsert(
        mut self,
        db: &impl Keyed,
        key: impl IntoIterator<Item = ColumnOf<A::Entity>>,
    ) -> Result<ModelOf<A>, RecordError> {
        let key: Vec<_> = key.into_iter().collect();
        let own = self.row.clone();
        let mut last = RecordError::Id;
        for attempt in 0..ATTEMPTS {
            self.row = own.clone();
            let (row, sealed_for) = self.sealed(db).await?;
            let done = match find::<A>(db, &row, &key, attempt > 0).await? {
                Some(stored) => {
                    let there = A::binding_of(&stored);
                    if (&there.owners, &there.scope) != (&sealed_for.owners, &sealed_for.scope) {
                        return Err(RecordError::Rebound { id: sealed_for.id });
                    }
                    for id in <A::Entity as EntityTrait>::PrimaryKey::iter()
                        .map(PrimaryKeyToColumn::into_column)
                    {
                        self.row.set(id, stored.get(id));
                    }
                    self.updated(db).await
                }
                None => insert(db, row, &sealed_for).await,
            };
            match keys::judge(db, done) {
                // Another program was quicker: the row is looked for again. Or the key is gone: another one seals.
                Err(error) if is_raced(&error) || is_sealed_again(&error, db) => last = error,
                done => return done,
            }
        }
        Err(last)
    }
}

/// The stored row with the same key. One that a transaction's own snapshot does not show is found by a lock.
async fn find<A: WrittenRow>(
    db: &impl Keyed,
    row: &A,
    key: &[ColumnOf<A::Entity>],
    locked: bool,
) -> Result<Option<ModelOf<A>>, RecordError> {
    let mut find = A::Entity::find();
    for column in key {
        let value = row.get(*column).into_value();
        let value = value
            .ok_or_else(|| DbErr::AttrNotSet(sea_orm::IdenStatic::as_str(column).to_owned()))?;
        find = find.filter(column.eq(value));
    }
    let find = if locked { find.lock_exclusive() } else { find };
    Ok(find.one(db).await?)
}

/// Within a transaction of its own, so that PostgreSQL goes on after a key that is taken.
async fn insert<A: WrittenRow>(
    db: &impl Keyed,
    row: A,
    sealed_for: &strongroom_entity::Binding,
) -> Result<A::Stored, RecordError> {
    let within = db.begin().await?;
    let done = match row.insert_into(&within).await {
        Ok(stored) => require_same(&A::binding_of(&stored), sealed_for).map(|()| stored),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(stored) => within.commit().await.map(|()| stored).map_err(Into::into),
        Err(error) => {
            within.rollback().await?;
            Err(error)
        }
    }
}

fn is_sealed_again(error: &RecordError, db: &impl Keyed) -> bool {
    matches!(error, RecordError::Ring(RingError::KeyGone)) && db.begun().is_none()
}

fn is_raced(error: &RecordError) -> bool {
    match error {
        RecordError::Rebound { .. } => true,
        RecordError::Database(error) => {
            matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
        }
        _ => false,
    }
}
