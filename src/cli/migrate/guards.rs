//! Recreates missing guards of Strongroom's tables when no migration is pending.

use strongroom::entity::OWN_TABLES;
use strongroom::internal::db::{self, Access, DatabaseConnection};
use strongroom::internal::policy::may_see_triggers;
use strongroom::internal::schema::{self, KeyedSteps, SchemaError};
use strongroom::migration::Phase;
use strongroom::reseal::Options;

use super::plan::Planned;
use crate::failure::Failure;
use crate::session::{Session, release};

/// Returns the names of the guards that were missing. Needs the root key only if some were.
pub(super) async fn restore(planned: &Planned, session: &Session) -> Result<Vec<String>, Failure> {
    let db = session.connect(Access::Schema).await?;
    let tables = unguarded(&db, planned).await?;
    if tables.is_empty() || !may_see_triggers(&db).await? {
        return Ok(Vec::new());
    }
    let lock = session.lock(&db).await?;
    let steps = KeyedSteps::new(
        Some(session.roots().await?),
        session.floor()?,
        lock.clone(),
        Options::default(),
    );
    let mut restored = Vec::new();
    for table in tables {
        let done = steps.restore_guards(&db, table).await;
        match done {
            Ok(names) => restored.extend(names),
            Err(error) => {
                drop(steps);
                release(lock).await;
                return Err(SchemaError::Database(error).into());
            }
        }
    }
    drop(steps);
    release(lock).await;
    Ok(restored)
}

/// The tables of Strongroom that are sealed by the applied steps and lack a guard.
async fn unguarded(
    db: &DatabaseConnection,
    planned: &Planned,
) -> Result<Vec<&'static str>, Failure> {
    let mut found = Vec::new();
    for table in OWN_TABLES {
        if planned.phase_of(table.name) == Phase::Sealed
            && db::has_table(db, table.name).await?
            && !schema::missing_guards(db, table.name, Phase::Sealed).await?.is_empty()
        {
            found.push(table.name);
        }
    }
    Ok(found)
}
