//! MariaDB's views, by which components see the tables.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbErr};

use super::{Inspected, all, text};
use crate::policy::drift::Drift;
use crate::policy::wanted::Target;

/// Views of our schemas. One that does not simply show its table's columns is one with other columns.
pub(super) async fn views(
    db: &impl ConnectionTrait,
    target: &Target,
    databases: Option<&BTreeSet<String>>,
    found: &mut Inspected,
) -> Result<(), DbErr> {
    let is_gone = |schema: &str| databases.is_some_and(|all| !all.contains(schema));
    let state = &mut found.state;
    let prefix = || target.names.prefix().into();
    let schemas = "SELECT CAST(schema_name AS CHAR) AS s FROM information_schema.schemata WHERE left(schema_name, length($1)) = $2";
    for row in all(db, schemas, [prefix(), prefix()]).await? {
        state.schemas.insert(text(&row, "s")?);
    }
    let columns = "SELECT CAST(table_schema AS CHAR) AS s, CAST(table_name AS CHAR) AS t, CAST(column_name AS CHAR) AS c \
                   FROM information_schema.columns WHERE left(table_schema, length($1)) = $2 ORDER BY 1, 2, ordinal_position";
    for row in all(db, columns, [prefix(), prefix()]).await? {
        let view: &mut Vec<String> =
            state.views.entry((text(&row, "s")?, text(&row, "t")?)).or_default();
        view.push(text(&row, "c")?);
    }
    let definitions = "SELECT CAST(v.table_schema AS CHAR) AS s, CAST(v.table_name AS CHAR) AS t, v.view_definition AS body, \
                       v.security_type = 'DEFINER' AND u.User IS NOT NULL AS ok FROM information_schema.views v \
                       LEFT JOIN mysql.user u ON concat(u.User, '@', u.Host) = v.definer WHERE left(v.table_schema, length($1)) = $2";
    for row in all(db, definitions, [prefix(), prefix()]).await? {
        let key = (text(&row, "s")?, text(&row, "t")?);
        let (body, ok) = (text(&row, "body")?, row.try_get::<i64>("", "ok")? != 0);
        if let Some(columns) = state.views.get_mut(&key)
            && !(ok && body == definition(&target.schema, &key.1, columns))
        {
            *columns = vec!["(something else)".to_owned()];
            let elsewhere = body.rsplit(" from `").next().and_then(|rest| rest.split('`').next());
            if elsewhere.is_some_and(|schema| schema != target.schema && !is_gone(schema)) {
                found.foreign.push(Drift::new(
                    "foreign",
                    &key.0,
                    "another database",
                    format!("view {}", key.1),
                ));
            }
        }
    }
    Ok(())
}

/// A plain view's text, as MariaDB stores it.
fn definition(schema: &str, table: &str, columns: &[String]) -> String {
    let column = |column: &String| format!("`{schema}`.`{table}`.`{column}` AS `{column}`");
    let columns: Vec<String> = columns.iter().map(column).collect();
    format!("select {} from `{schema}`.`{table}`", columns.join(","))
}
