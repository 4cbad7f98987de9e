//! Names the objects that depend on a table or on one of its columns.

use sea_orm::{ConnectionTrait, DbErr};

use super::super::texts;
use super::create_table;
use super::item::{is_index, mentions_inside, name_of};
use crate::schema::sealing::create_table::{column_of, mentions};

/// Views and foreign keys of other tables.
const DEPENDENTS: &str = "SELECT concat('view `', table_name, '` reads table `', $1, '`') AS what FROM information_schema.views \
        WHERE locate(concat('`', DATABASE(), '`.`', $2, '`'), view_definition) > 0 AND table_name NOT LIKE 'strongroom!_%' ESCAPE '!' \
        AND table_schema = DATABASE() \
    UNION ALL SELECT concat('foreign key `', constraint_name, '` of table `', table_name, '` refers to table `', $3, '`') \
        FROM information_schema.referential_constraints WHERE unique_constraint_schema = DATABASE() \
        AND referenced_table_name = $4 AND table_name <> referenced_table_name";

pub(in crate::schema::inspect) async fn dependents(
    db: &impl ConnectionTrait,
    table: &str,
) -> Result<Vec<String>, DbErr> {
    texts(db, DEPENDENTS, &[table; 4]).await
}

/// Indexes, CHECKs, generated columns and views that mention the column. Names that begin with `credential_` are ours.
pub(in crate::schema::inspect) async fn column_dependents(
    db: &impl ConnectionTrait,
    table: &str,
    column: &str,
) -> Result<Vec<String>, DbErr> {
    let Some(shown) = create_table(db, table).await? else { return Ok(Vec::new()) };
    let mine = |item: &&String| {
        let is_ours = is_index(item) && name_of(item).starts_with("credential_");
        mentions_inside(item, column)
            && !is_ours
            && !column_of(item).is_some_and(|it| it.eq_ignore_ascii_case(column))
    };
    let found =
        shown.items.iter().filter(mine).filter(|item| !mentions(item, "strongroom_nothing_yet"));
    let mut found: Vec<_> = found
        .map(|item| format!("`{}` mentions column `{column}` of table `{table}`", item.trim()))
        .collect();
    let views = "SELECT concat('view `', table_name, '`') AS what FROM information_schema.views WHERE table_schema = DATABASE() \
        AND table_name NOT LIKE 'strongroom!_%' ESCAPE '!' AND locate(concat('`', $1, '`'), view_definition) > 0 \
        AND locate(concat('`', $2, '`'), view_definition) > 0";
    let views = texts(db, views, &[table, column]).await?;
    found.extend(
        views.into_iter().map(|view| format!("{view} reads column `{column}` of table `{table}`")),
    );
    Ok(found)
}
