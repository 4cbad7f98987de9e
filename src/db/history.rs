//! The one timeline of schema steps, Strongroom's and a host program's, and of key rolls.
//!
//! Written under the run lock only; every row carries the fencing token of its run.

use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, ConnectionTrait, DbBackend, DbErr, EntityTrait as _, QueryFilter as _,
    QueryOrder as _,
};
use strongroom_entity::history::{ActiveModel, Column, Entity, Model};

use super::{Lock, has_table};

/// What is written down when something begins.
#[derive(Debug, Clone)]
pub struct Entry {
    /// A schema step's number.
    pub number: Option<i32>,
    /// A schema step's name, or what is rolled.
    pub name: String,
    /// What sort of thing: `schema`, `host`, `roll`, `policy`, `login`, `rewrap`, `retire` or `guards`.
    pub kind: &'static str,
    /// `up` or `down`; `adopted` for a host's step that another runner had applied.
    pub direction: &'static str,
    /// Over the step's SQL.
    pub checksum: Option<String>,
}

/// The whole timeline, oldest first; empty for a database without one. Writes nothing.
pub async fn read(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    if !has_table(db, "strongroom_history").await? {
        return Ok(Vec::new());
    }
    Entity::find().order_by_asc(Column::Id).all(db).await
}

/// Writes down that something begins; the number of the new row. An unfinished row of the same
/// thing is taken up again instead, so that a crash leaves one row and not two.
pub async fn begin(db: &impl ConnectionTrait, lock: &Lock, entry: &Entry) -> Result<i64, DbErr> {
    let rows = read(db).await?;
    if let Some(open) =
        rows.iter().rev().find(|row| is_same(row, entry)).filter(|row| is_left_open_by(row, entry))
    {
        let again = Entity::update_many().col_expr(Column::Token, Expr::value(lock.token()));
        again
            .col_expr(Column::Holder, Expr::value(lock.holder()))
            .filter(Column::Id.eq(open.id))
            .exec(db)
            .await?;
        return Ok(open.id);
    }
    let id = match rows.last().map(|row| row.id) {
        Some(last) => last.checked_add(1).ok_or_else(|| {
            DbErr::Custom(format!("strongroom_history has a row `{last}`, and no number after it"))
        })?,
        None => 1,
    };
    let row = ActiveModel {
        id: Set(id),
        number: Set(entry.number),
        name: Set(entry.name.clone()),
        kind: Set(entry.kind.to_owned()),
        direction: Set(entry.direction.to_owned()),
        checksum: Set(entry.checksum.clone()),
        started_at: NotSet,
        finished_at: NotSet,
        holder: Set(lock.holder().to_owned()),
        token: Set(lock.token()),
    };
    insert_started_now(db, row).await?;
    Ok(id)
}

/// Other things may have been done since: two programs share the timeline.
fn is_same(row: &Model, entry: &Entry) -> bool {
    row.kind == entry.kind && row.name == entry.name
}

/// With another checksum it is another attempt, and the one that failed stays in the history.
fn is_left_open_by(row: &Model, entry: &Entry) -> bool {
    row.finished_at.is_none() && row.direction == entry.direction && row.checksum == entry.checksum
}

/// Writes down that it is finished.
pub async fn finish(db: &impl ConnectionTrait, lock: &Lock, id: i64) -> Result<(), DbErr> {
    let finished =
        Entity::update_many().col_expr(Column::FinishedAt, now(db.get_database_backend()));
    finished.filter(Column::Id.eq(id)).filter(Column::Token.eq(lock.token())).exec(db).await?;
    Ok(())
}

/// The time of the beginning is the database's, so it goes in as an expression.
async fn insert_started_now(db: &impl ConnectionTrait, row: ActiveModel) -> Result<(), DbErr> {
    use sea_orm::ActiveModelTrait as _;
    let mut insert = sea_orm::sea_query::Query::insert();
    let mut columns = vec![Column::StartedAt];
    let mut values = vec![now(db.get_database_backend())];
    for column in [
        Column::Id,
        Column::Number,
        Column::Name,
        Column::Kind,
        Column::Direction,
        Column::Checksum,
        Column::Holder,
        Column::Token,
    ] {
        if let Some(value) = row.get(column).into_value() {
            columns.push(column);
            values.push(Expr::value(value));
        }
    }
    insert.into_table(Entity).columns(columns).values_panic(values);
    db.execute(&insert).await?;
    Ok(())
}

fn now(engine: DbBackend) -> SimpleExpr {
    match engine {
        DbBackend::Postgres => Expr::cust("clock_timestamp()"),
        DbBackend::MySql => Expr::cust("utc_timestamp(6)"),
        _ => Expr::cust("strftime('%Y-%m-%d %H:%M:%f000', 'now')"),
    }
}
