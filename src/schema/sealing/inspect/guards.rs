//! Finds guard triggers that are missing or disabled.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbErr};
use strongroom_migration::{Engine, Phase};

use super::{query, required_text};
use crate::db::{ByDialect, Dialect};
use crate::schema::sealing::guard::{DmlEvent, Guard};

/// The enabled triggers of a table.
const STANDING: ByDialect<&str> = ByDialect {
    postgres: "SELECT tgname::text AS name FROM pg_trigger \
        WHERE tgrelid = to_regclass(quote_ident($1)) AND NOT tgisinternal AND tgenabled IN ('O', 'A')",
    mysql: "SELECT trigger_name AS name FROM information_schema.triggers \
        WHERE event_object_schema = DATABASE() AND event_object_table = $1",
    sqlite: "SELECT name FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) = lower($1)",
};

/// Returns the names of the guard triggers that every table in this phase must have and this table lacks. It checks neither
/// guards that depend on the table's columns nor the bodies of triggers.
pub async fn missing_guards(
    db: &impl ConnectionTrait,
    table: &str,
    phase: Phase,
) -> Result<Vec<String>, DbErr> {
    let dialect = Dialect::of(db);
    let wanted: Vec<_> = guards_of(phase, dialect.engine())
        .iter()
        .map(|(guard, event)| guard.name_for(*event, table))
        .collect();
    if wanted.is_empty() {
        return Ok(wanted);
    }
    let rows = query(db, dialect.pick(STANDING), &[table]).await?;
    let standing: BTreeSet<String> =
        rows.iter().map(|row| required_text(row, "name")).collect::<Result<_, _>>()?;
    Ok(wanted.into_iter().filter(|name| !standing.contains(name)).collect())
}

/// Whether writers are kept out of a table. Where no run is under way, one was cut short.
pub async fn holds_writers(db: &impl ConnectionTrait, table: &str) -> Result<bool, DbErr> {
    let dialect = Dialect::of(db);
    let held = DmlEvent::ALL.map(|event| Guard::Held.name_for(event, table));
    for row in query(db, dialect.pick(STANDING), &[table]).await? {
        if held.contains(&required_text(&row, "name")?) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn guards_of(phase: Phase, engine: Engine) -> Vec<(Guard, DmlEvent)> {
    let counts: &[_] = match phase {
        Phase::Plain => return Vec::new(),
        Phase::Dual | Phase::Filled => &[(Guard::Stale, DmlEvent::Update)],
        Phase::Required => &[
            (Guard::Stale, DmlEvent::Update),
            (Guard::Required, DmlEvent::Insert),
            (Guard::Required, DmlEvent::Update),
        ],
        Phase::Sealed => &[(Guard::Bound, DmlEvent::Update)],
        Phase::Restoring => {
            &[(Guard::Bound, DmlEvent::Update), (Guard::Restoring, DmlEvent::Update)]
        }
    };
    let cells = DmlEvent::BOTH.map(|event| (Guard::Cell, event));
    // PostgreSQL has a domain instead.
    let cells = cells.into_iter().filter(|_| engine != Engine::Postgres);
    let keys = DmlEvent::BOTH.map(|event| (Guard::Key, event));
    cells.chain(keys).chain(counts.iter().copied()).collect()
}
