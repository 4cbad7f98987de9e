//! Guards of Strongroom's own tables that are gone, made again by a run that has no step to do.

use strongroom::entity::OWN_TABLES;
use strongroom::internal::db::{self, Access, DatabaseConnection};
use strongroom::internal::policy::may_see_triggers;
use strongroom::internal::schema::{self, KeyedSteps, SchemaError};
use strongroom::migration::Phase;
use strongroom::reseal::Options;

use super::plan::Planned;
use crate::failure::Failure;
use crate::session::{Session, release};

/// Makes them again; the names of those that were gone. Needs the root only where some are.
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

/// The own tables that are sealed by the steps in force, and lack a guard.
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
