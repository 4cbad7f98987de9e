//! Checks that the guards of sealed tables exist and are enabled.

use strongroom::entity::own_table;
use strongroom::internal::db::DatabaseConnection;
use strongroom::internal::{policy, reseal, schema};
use strongroom::key::Manifest;

use super::check::Check;
use crate::failure::Failure;

const NAME: &str = "guards";

/// Without its guards, a sealed table accepts plaintext and changes of the columns to which cells are bound.
pub(super) async fn check(db: &DatabaseConnection, manifest: Option<&Manifest>) -> Check {
    match held(db, manifest).await {
        Ok(held) if !held.is_empty() => {
            return Check::left(
                NAME,
                format!("writers are kept out of {}", held.join(", ")),
                "if no run is under way, run the migration again that was cut short, in either direction",
            )
            .code("writers_held");
        }
        Ok(_) => {}
        Err(failure) => return Check::unknown(NAME, failure),
    }
    match gone(db, manifest).await {
        Ok(None) => Check::advice(
            NAME,
            "cannot be told: this login is not told of triggers",
            "look again with a login that has TRIGGER on the database",
        ),
        Ok(Some(gone)) if gone.is_empty() => Check::ok(NAME, "every table has those of its phase"),
        Ok(Some(gone)) => {
            let (names, ours): (Vec<_>, Vec<_>) = gone.into_iter().unzip();
            let hint = if ours.into_iter().any(|is_ours| is_ours) {
                "find out who dropped them, then run `strongroom migrate up --yes`, which recreates them"
            } else {
                "find out who dropped them, then run the program's own migrations, which recreate them"
            };
            Check::left(NAME, format!("gone: {}", names.join(", ")), hint).code("guards_gone")
        }
        Err(failure) => Check::unknown(NAME, failure),
    }
}

/// The tables that a run keeps writers out of, or did when it was killed.
async fn held(
    db: &DatabaseConnection,
    manifest: Option<&Manifest>,
) -> Result<Vec<String>, Failure> {
    let mut held = Vec::new();
    for (table, _) in reseal::counted_tables(db, manifest).await? {
        if schema::holds_writers(db, table.name).await? {
            held.push(format!("`{}`", table.name));
        }
    }
    Ok(held)
}

/// The names of missing guards, each with whether it belongs to a table of Strongroom; `None` if the login cannot see triggers.
async fn gone(
    db: &DatabaseConnection,
    manifest: Option<&Manifest>,
) -> Result<Option<Vec<(String, bool)>>, Failure> {
    let mut gone = Vec::new();
    for (table, phase) in reseal::counted_tables(db, manifest).await? {
        let is_ours = own_table(table.name).is_some();
        let names = schema::missing_guards(db, table.name, phase).await?;
        gone.extend(names.into_iter().map(|name| (name, is_ours)));
    }
    let is_told = gone.is_empty() || policy::may_see_triggers(db).await?;
    Ok(is_told.then_some(gone))
}
