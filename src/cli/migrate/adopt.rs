//! `strongroom migrate adopt`: a plaintext table that was there before.

use std::sync::Arc;

use serde_json::json;
use strongroom::migration::{Adoption, Engine, Migrator, NoKeys};

use super::run_steps;
use crate::confirm::confirm;
use crate::counted::counted;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::{Session, release};
use crate::text::Text;
use strongroom::db::{self, Access, DatabaseConnection, Lock};
use strongroom::internal::schema::{self, Adoptable, KeyedSteps, Target};
use strongroom::reseal::Options;

/// Shows what is there and what would be done, and does it once somebody agrees. Run again after a crash, it
/// goes on.
pub(super) async fn run(
    dry_run: bool,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    let db = session.connect(Access::Read).await?;
    let engine = Engine::of(&db).await?;
    session.refuse_older(&db).await?;
    let begun = schema::adopted(&db).await?;
    if schema::is_ours(&db).await? {
        let failure =
            Failure::refused("adopted_already", "the credential table is Strongroom's own already");
        return Err(failure.help("`strongroom migrate status` shows where it stands"));
    }
    let (adoption, found) = if let Some(adoption) = begun {
        (adoption, None)
    } else {
        let found = schema::inspect_adoptable(&db, engine, &session.config.adoption()).await?;
        (found.adoption.clone(), Some(found))
    };
    db.close().await?;
    let sql = adoption.adopt(engine);
    if dry_run {
        output.result(&document(&adoption, found.as_ref(), &sql, false), || {
            text(&adoption, found.as_ref(), &sql)
        });
        return Ok(Exit::Done);
    }
    output.note_lines(&text(&adoption, found.as_ref(), &sql));
    confirm(
        session,
        &[format!(
            "takes over table {} as step 1; `strongroom migrate down --to 0 --yes` gives it back",
            adoption.table
        )],
    )?;
    let db = session.connect(Access::Schema).await?;
    let lock = session.lock(&db).await?;
    let done = adopt(&db, &lock, &adoption, session, output).await;
    release(lock).await;
    done?;
    output.result(&document(&adoption, found.as_ref(), &sql, true), || {
        format!(
            "table {} is adopted, at version 1; next: `strongroom migrate up --yes`",
            adoption.table
        )
    });
    Ok(Exit::Done)
}

async fn adopt(
    db: &DatabaseConnection,
    lock: &Arc<Lock>,
    adoption: &Adoption,
    session: &Session,
    output: &Output,
) -> Result<(), Failure> {
    let transaction = db::begin(db).await?;
    schema::write_adoption(&transaction, adoption).await?;
    lock.fence(&transaction).await?;
    transaction.commit().await?;
    let backfill = KeyedSteps::new(None, session.floor()?, lock.clone(), Options::default());
    let migrator = Migrator {
        backfill: Arc::new(backfill),
        grants: Arc::new(NoKeys),
        adopted: Some(adoption.clone()),
    };
    run_steps(db, lock, migrator, Target::Up(1), session.stop.clone(), output).await.map(drop)
}

fn document(
    adoption: &Adoption,
    found: Option<&Adoptable>,
    sql: &str,
    adopted: bool,
) -> serde_json::Value {
    let columns = found.map(|found| {
        let lines = found
            .columns
            .iter()
            .map(|(ours, theirs, kind)| json!({ "ours": ours, "theirs": theirs, "type": kind }));
        lines.collect::<Vec<_>>()
    });
    json!({
        "table": adoption.table, "rows": found.map(|found| found.rows), "columns": columns, "added": adoption.added,
        "carried": adoption.carried,
        "sql": sql, "adopted": adopted,
    })
}

fn text(adoption: &Adoption, found: Option<&Adoptable>, sql: &str) -> Text {
    let mut lines = vec![match found {
        Some(found) => {
            format!("found table {} with {}:", adoption.table, counted(found.rows, "row", "rows"))
        }
        None => format!("the adoption of table {} was begun and goes on", adoption.table),
    }];
    let columns = found.iter().flat_map(|found| &found.columns);
    lines.extend(columns.map(|(ours, theirs, kind)| format!("  {ours:<12} is {theirs} ({kind})")));
    lines.extend(
        adoption.added.iter().map(|column| format!("  {column:<12} is not there, and is added")),
    );
    lines.extend(
        adoption
            .carried
            .iter()
            .map(|what| format!("  taken off, and put back by `migrate down --to 0`: {what}")),
    );
    lines.push(if sql.is_empty() {
        "nothing has to be changed about it".to_owned()
    } else {
        "what is done to it:".to_owned()
    });
    lines
        .extend(sql.lines().filter(|line| !line.is_empty()).map(|line| format!("       | {line}")));
    Text::of(lines)
}
