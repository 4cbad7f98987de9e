//! How many rows go into one statement.

use sea_orm::{ConnectionTrait, DbErr};

use crate::db;

/// Returns how many bytes of rows go into one statement.
pub(super) async fn longest(db: &impl ConnectionTrait) -> Result<usize, DbErr> {
    Ok(db::packet(db).await?.page_bytes())
}

/// Returns how many of these weights fit together; at least one.
pub(super) fn how_many_fit(weights: impl Iterator<Item = usize>, longest: usize) -> usize {
    let mut length = 0;
    let fit = weights.take_while(|weight| {
        length += weight;
        length <= longest
    });
    fit.count().max(1)
}
