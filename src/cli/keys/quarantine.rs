//! `strongroom keys quarantine …`: what could not be opened.

use clap::Subcommand;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _, TransactionTrait as _};
use serde_json::{Value, json};
use strongroom_entity::credential::Column;
use strongroom_entity::{SealedColumn, credential, key, manifest, quarantine};

use crate::cli::confirm::confirm;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::credential::{Store, StoreError};
use crate::crypto::Envelope;
use crate::db::{self, Access, DatabaseConnection, DatabaseTransaction, DbErr};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Name the rows that could not be opened, and why
    List,
    /// Print them whole, cells and wrapped keys included, as the break-glass script reads them
    Export,
    /// Remove a row that does not open; a row that opens by now only leaves the list
    Discard {
        /// The row
        #[arg(long, value_name = "ID")]
        id: String,
    },
}

pub(super) async fn run(command: Command, session: &Session, output: &Output) -> Result<Exit, Failure> {
    match command {
        Command::List => list(session, output).await,
        Command::Export => export(session, output).await,
        Command::Discard { id } => discard(&id, session, output).await,
    }
}

async fn list(session: &Session, output: &Output) -> Result<Exit, Failure> {
    let rows = quarantined(&session.connect_to_ours(Access::Read).await?).await?;
    let documents: Vec<_> = rows.iter().map(entry).collect();
    output.result(&json!({ "quarantined": documents }), || {
        let lines = rows.iter().map(|row| format!("{}  {}  {}  {}", row.table_name, row.row_id, row.column_name, row.reason));
        if rows.is_empty() { "nothing is in quarantine".to_owned() } else { lines.collect::<Vec<_>>().join("\n") }
    });
    Ok(Exit::Done)
}

async fn export(session: &Session, output: &Output) -> Result<Exit, Failure> {
    let db = session.connect_to_ours(Access::Read).await?;
    let mut documents = Vec::new();
    for row in quarantined(&db).await? {
        let sealed = if row.table_name == credential::TABLE.name { whole(&db, &row).await? } else { Value::Null };
        let quarantine::Model { table_name, row_id, column_name, reason, .. } = row;
        documents.push(json!({ "table": table_name, "id": row_id, "column": column_name, "reason": reason, "sealed": sealed }));
    }
    let document = json!({ "quarantined": documents });
    output.result(&document, || serde_json::to_string_pretty(&document).unwrap_or_default());
    Ok(Exit::Done)
}

async fn discard(id: &str, session: &Session, output: &Output) -> Result<Exit, Failure> {
    let db = session.connect_to_ours(Access::Write).await?;
    let bad: Vec<_> = quarantined(&db).await?.into_iter().filter(|row| row.row_id == id).collect();
    let Some(first) = bad.first() else {
        let failure = Failure::new(Exit::Failed, "not_in_quarantine", "no row of that id is in quarantine");
        return Err(failure.help("`strongroom keys quarantine list` names them"));
    };
    if bad.iter().all(|row| row.table_name != credential::TABLE.name) {
        let message = format!("the row is in table `{}`, which a program of its own keeps", first.table_name);
        let failure = Failure::refused("not_a_credential", message);
        return Err(failure.help("repair or delete it there; the next `strongroom keys rotate` takes it off the list"));
    }
    let store = session.store(Access::Write).await?;
    if !store.phase().await?.cells_count() {
        let failure = Failure::refused(
            "plaintext_counts",
            "the plaintext of this row is there and counts: nothing is lost, and nothing is discarded",
        );
        return Err(failure.help("change or delete the credential itself, then seal again with `strongroom migrate up`"));
    }
    let judged = credential::Entity::find_by_id(id).one(&db).await?;
    let opens = judged.is_none() || does_open(&store, id).await?;
    if !opens {
        confirm(session, &[format!("removes credential {id}, which does not open; `keys quarantine export` keeps a copy")])?;
    }
    let transaction = db.begin().await?;
    if let Some(judged) = judged.filter(|_| !opens) {
        remove(&transaction, judged).await?;
    }
    let listed = quarantine::Entity::delete_many().filter(quarantine::Column::RowId.eq(id));
    listed.filter(quarantine::Column::TableName.eq(credential::TABLE.name)).exec(&transaction).await?;
    transaction.commit().await?;
    output.result(&json!({ "discarded": !opens }), || {
        if opens { "the row opens by now: it stays, and leaves the list".to_owned() } else { "discarded".to_owned() }
    });
    Ok(Exit::Done)
}

/// Removes the row as it was judged; one that somebody repaired meanwhile stays.
async fn remove(db: &DatabaseTransaction, judged: credential::Model) -> Result<(), Failure> {
    let unchanged = credential::Entity::delete_many()
        .filter(credential::Column::Id.eq(&judged.id))
        .filter(credential::Column::UserId.eq(judged.user_id))
        .filter(credential::Column::SecretKeySealed.eq(judged.secret_key_sealed))
        .filter(match judged.access_key_sealed {
            Some(cell) => credential::Column::AccessKeySealed.eq(cell),
            None => credential::Column::AccessKeySealed.is_null(),
        });
    if unchanged.exec(db).await?.rows_affected == 1 {
        return Ok(());
    }
    let failure = Failure::new(Exit::Failed, "changed", "the row was changed meanwhile: nothing was removed");
    Err(failure.help("run the same command again"))
}

/// Whether the row opens, access key and secret.
async fn does_open(store: &Store, id: &str) -> Result<bool, Failure> {
    match store.find_by_id(id, true).await {
        Ok(_) => Ok(true),
        Err(StoreError::Unopenable { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn quarantined(db: &DatabaseConnection) -> Result<Vec<quarantine::Model>, DbErr> {
    if !db::has_table(db, "strongroom_quarantine").await? {
        return Ok(Vec::new());
    }
    quarantine::Entity::find().all(db).await
}

fn entry(row: &quarantine::Model) -> Value {
    json!({ "table": row.table_name, "id": row.row_id, "column": row.column_name, "reason": row.reason })
}

/// The document that the break-glass script reads; null where the row or its cell is gone.
async fn whole(db: &DatabaseConnection, bad: &quarantine::Model) -> Result<Value, Failure> {
    let is_it = |column: &&SealedColumn| column.sealed == bad.column_name;
    let Some(column) = credential::TABLE.columns.iter().find(is_it) else { return Ok(Value::Null) };
    let named = if column.sealed == "access_key_sealed" { Column::AccessKeySealed } else { Column::SecretKeySealed };
    let row = credential::Entity::find_by_id(&bad.row_id).select_only().columns([
        Column::UserId,
        Column::ProjectId,
        Column::Type,
        Column::Extra,
        named,
    ]);
    let row: Option<Exported> = row.into_tuple().one(db).await?;
    let Some((user_id, project_id, kind, extra, Some(cell))) = row else { return Ok(Value::Null) };
    let ring = manifest::Entity::find().one(db).await?;
    let owners = json!({ "user_id": user_id, "project_id": project_id, "type": kind, "extra": extra });
    Ok(json!({
        "ring_id": ring.map(|ring| hex::encode(ring.ring_id)),
        "key": wrapped_key(db, &cell).await?,
        "label": column.label,
        "id": bad.row_id,
        "owners": owners,
        "cell": hex::encode(cell),
    }))
}

type Exported = (String, Option<String>, String, Option<String>, Option<Vec<u8>>);

async fn wrapped_key(db: &DatabaseConnection, cell: &[u8]) -> Result<Value, Failure> {
    let Ok(envelope) = Envelope::parse(cell) else { return Ok(Value::Null) };
    let found = key::Entity::find_by_id(i64::from(envelope.key_id())).one(db).await?;
    Ok(found.map_or(Value::Null, |key| {
        json!({
            "id": key.id, "purpose": key.purpose, "scope": key.scope, "generation": key.generation,
            "wrapped": hex::encode(key.wrapped),
        })
    }))
}
