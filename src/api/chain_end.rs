//! The end of the audit chain, logged once a minute.
//!
//! A database that went back has lost the last audit rows, and its chain is whole. Only a copy of its end that is kept
//! elsewhere shows the loss: `strongroom audit verify --expect NUMBER:CODE` compares with it.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{DbErr, EntityTrait as _};
use strongroom::entity::audit_head;

use super::service::Service;

const EVERY: Duration = Duration::from_mins(1);

/// Logs the end of the chain whenever it has changed.
pub(super) async fn keep_logging(service: Arc<Service>) {
    let mut logged = 0;
    loop {
        match end(&service).await {
            Ok(Some((number, code))) if number != logged => {
                logged = number;
                tracing::info!(expect = format!("{number}:{code}"), "end of the audit chain");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the end of the audit chain cannot be read"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Returns the number and the code of the last row, in hex; `None` without a row.
async fn end(service: &Service) -> Result<Option<(i64, String)>, DbErr> {
    let head = audit_head::Entity::find_by_id(1_i16).one(service.keeper()).await?;
    Ok(head.filter(|head| head.number > 0).map(|head| (head.number, hex::encode(head.mac))))
}
