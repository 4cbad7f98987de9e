//! Step 10: where the service writes down what it handed out, and the signatures that it has seen.

use std::sync::Arc;

use crate::Backfill;
use crate::sql::sql;
use crate::sql_step::SqlStep;

pub(crate) fn step(backfill: Arc<dyn Backfill>) -> SqlStep {
    SqlStep {
        name: "create_audit",
        up: sql!("0010_create_audit.up.sql"),
        down: sql!("0010_create_audit.down.sql"),
        down_destroys: "drops the audit rows: `strongroom audit list` shows them as long as they are there",
        backfill,
    }
}
