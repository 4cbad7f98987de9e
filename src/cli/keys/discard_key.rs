//! `strongroom keys discard-key`: removes a row of keys that is no key.

use clap::Args;
use serde_json::{Value, json};

use crate::confirm::confirm;
use crate::counted::counted;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::{Session, release};
use strongroom::db::{self, Access, DatabaseConnection, Lock};
use strongroom::internal::key::{BadKey, Ring, RingError};
use strongroom::internal::reseal::{self, ResealError};

#[derive(Debug, Args)]
pub(crate) struct DiscardKey {
    /// The row's id, as `keys verify` shows it
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    id: i64,
}

/// Refuses a key that unwraps, and one that cells name: those cells need it back, from a backup.
pub(super) async fn run(
    discard: &DiscardKey,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    let db = session.connect_to_ours(Access::Write).await?;
    let ring = session.ring(&db).await?.ok_or(ResealError::NoRing)?;
    let bad = judged(&db, &ring, discard.id).await?;
    confirm(
        session,
        &[format!("removes row {} from strongroom_key: {}", bad.id, described(&bad))],
    )?;
    let lock = session.lock(&db).await?;
    let done = remove(&db, &ring, &lock, discard.id).await;
    release(lock).await;
    done?;
    output.result(&json!({ "discarded": true }), || "discarded".to_owned());
    Ok(Exit::Done)
}

async fn remove(db: &DatabaseConnection, ring: &Ring, lock: &Lock, id: i64) -> Result<(), Failure> {
    ring.reload(db).await?;
    let transaction = db::begin(db).await?;
    let bad = judged(&transaction, ring, id).await?;
    ring.discard_key(&transaction, &bad).await?;
    lock.fence(&transaction).await?;
    Ok(transaction.commit().await?)
}

async fn judged(db: &impl db::ConnectionTrait, ring: &Ring, id: i64) -> Result<BadKey, Failure> {
    let bad = match ring.bad_key(db, id).await {
        Err(RingError::Missing) => {
            return Err(Failure::new(
                Exit::Failed,
                "not_found",
                format!("there is no key row {id}"),
            ));
        }
        judged => judged?,
    };
    let Some(bad) = bad else {
        return Err(Failure::refused(
            "key_unwraps",
            format!("key {id} is a key of the ring: it stays"),
        ));
    };
    let cells = reseal::cells_of_key(db, &reseal::sealed_tables(&ring.manifest())?, id).await?;
    if cells > 0 {
        let cells = counted(cells, "cell names it", "cells name it");
        let failure =
            Failure::refused("key_in_use", format!("key {id} does not unwrap, and {cells}"));
        return Err(failure.help("restore its row of table strongroom_key from a backup; `keys quarantine` deals with the cells"));
    }
    Ok(bad)
}

/// A row as `keys verify` shows it.
pub(super) fn line(bad: &BadKey) -> String {
    format!("strongroom_key  {}  wrapped  {} ({})", bad.id, bad.reason, described(bad))
}

pub(super) fn document(bad: &BadKey) -> Value {
    json!({ "table": "strongroom_key", "id": bad.id.to_string(), "column": "wrapped", "reason": bad.reason })
}

pub(super) fn note(bad: &BadKey) -> String {
    let id = bad.id;
    format!(
        "restore such key rows from a backup; one that no cell names is removed by `strongroom keys discard-key --yes --id {id}`"
    )
}

fn described(bad: &BadKey) -> String {
    format!("{} key of scope `{}`, generation {}", bad.purpose, bad.scope, bad.generation)
}
