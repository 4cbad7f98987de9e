//! Where a run stands, so that the same command goes on after a crash.

use sea_orm::{ConnectionTrait, DbErr, Statement, Value};
use uuid::Uuid;

use super::direction::Direction;

/// The saved state of a table's last run.
#[derive(Debug, Clone)]
pub(super) struct Checkpoint {
    pub(super) table: &'static str,
    /// Names the run in quarantine.
    pub(super) run: String,
    pub(super) direction: Direction,
    /// The generation of a roll; 0 otherwise.
    pub(super) target: i32,
    /// Every row up to this id has been looked at in this pass; `None` at its beginning. The database
    /// writes that as the empty text: a pass that begins again does no harm.
    pub(super) after: Option<String>,
    pub(super) moved: i64,
    pub(super) finished: bool,
}

impl Checkpoint {
    /// The unfinished run of the same work, or a new one.
    pub(super) async fn resume_or_new(
        db: &impl ConnectionTrait,
        table: &'static str,
        direction: Direction,
        target: i32,
    ) -> Result<Self, DbErr> {
        let sql = "SELECT run, direction, target, after_id, moved, finished FROM strongroom_reseal WHERE table_name = $1";
        if let Some(row) = db.query_one_raw(statement(db, sql, vec![table.into()])).await? {
            let same = row.try_get::<String>("", "direction")? == direction.as_str()
                && row.try_get::<i32>("", "target")? == target
                && !row.try_get::<bool>("", "finished")?;
            if same {
                let (run, after, moved) =
                    (row.try_get("", "run")?, row.try_get::<String>("", "after_id")?, row.try_get("", "moved")?);
                let after = Some(after).filter(|after| !after.is_empty());
                return Ok(Self { table, run, direction, target, after, moved, finished: false });
            }
        }
        let run = Uuid::new_v4().to_string();
        Ok(Self { table, run, direction, target, after: None, moved: 0, finished: false })
    }

    /// Saves it; part of the page's transaction.
    pub(super) async fn save(&self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        let sql = "INSERT INTO strongroom_reseal (table_name, run, direction, target, after_id, moved, finished, writing) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, FALSE) ON CONFLICT (table_name) DO UPDATE SET run = excluded.run, \
                   direction = excluded.direction, target = excluded.target, after_id = excluded.after_id, \
                   moved = excluded.moved, finished = excluded.finished, writing = FALSE";
        let values: Vec<Value> = vec![
            self.table.into(),
            self.run.as_str().into(),
            self.direction.as_str().into(),
            self.target.into(),
            self.after.as_deref().unwrap_or_default().into(),
            self.moved.into(),
            self.finished.into(),
        ];
        db.execute_raw(statement(db, sql, values)).await.map(drop)
    }
}

/// Says, until the transaction ends, that the engine is writing: the database refuses plaintext from
/// anybody else while cells count. Nobody outside the transaction ever sees it.
pub(super) async fn announce_writing(db: &impl ConnectionTrait, table: &str, writing: bool) -> Result<(), DbErr> {
    let sql = "UPDATE strongroom_reseal SET writing = $1 WHERE table_name = $2";
    db.execute_raw(statement(db, sql, vec![writing.into(), table.into()])).await.map(drop)
}

fn statement(db: &impl ConnectionTrait, sql: &str, values: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(db.get_database_backend(), sql, values)
}
