//! Which databases a server has: grants outlive the database that they are on.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbErr};

use super::super::{all as rows, one};
use super::text;
use crate::policy::state::State;

/// Every database of the server. None for a login that is not shown all of them: it cannot say that one is gone.
pub(super) async fn all(db: &impl ConnectionTrait) -> Result<Option<BTreeSet<String>>, DbErr> {
    let sees_all = "SELECT CAST(count(*) AS CHAR) AS n FROM information_schema.user_privileges WHERE privilege_type = 'SHOW DATABASES' \
                    AND CAST(grantee AS CHAR) = concat('''', replace(current_user(), '@', '''@'''), '''')";
    if text(&one(db, sees_all, []).await?, "n")? == "0" {
        return Ok(None);
    }
    let names =
        rows(db, "SELECT CAST(schema_name AS CHAR) AS s FROM information_schema.schemata", [])
            .await?;
    names.iter().map(|row| text(row, "s")).collect::<Result<_, _>>().map(Some)
}

/// The databases that grants name and the server does not have.
pub(super) fn gone(state: &State, databases: Option<&BTreeSet<String>>) -> BTreeSet<String> {
    let Some(databases) = databases else { return BTreeSet::new() };
    let named =
        state.grants.iter().filter_map(|grant| grant.object.table()).map(|(schema, _)| schema);
    named.filter(|schema| !databases.contains(*schema)).map(str::to_owned).collect()
}
