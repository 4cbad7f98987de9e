//! Step 8: where policies and the components' logins are written down.

use std::sync::Arc;

use crate::Backfill;
use crate::sql::sql;
use crate::sql_step::SqlStep;

pub(crate) fn step(backfill: Arc<dyn Backfill>) -> SqlStep {
    SqlStep {
        name: "create_policy",
        up: sql!("0008_create_policy.up.sql"),
        down: sql!("0008_create_policy.down.sql"),
        down_destroys: "drops the policies' history; no account is left by then",
        backfill,
    }
}
