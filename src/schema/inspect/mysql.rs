//! Inspects tables on MySQL and MariaDB, by the text of SHOW CREATE TABLE.

mod carry;
mod column;
mod definition;
mod dependents;
mod item;

use sea_orm::{ConnectionTrait, DbErr};
use strongroom_migration::Engine;

use super::{Form, Subject, query, required, text, texts};
use crate::schema::sealing::create_table::{CreateTable, has_word};
use carry::AdoptionSql;
use column::Column;
pub(super) use dependents::{column_dependents, dependents};

/// Obstacles that do not depend on the columns.
const OBSTACLES: &str = "SELECT concat('trigger `', trigger_name, '`') AS what FROM information_schema.triggers \
        WHERE event_object_schema = DATABASE() AND event_object_table = $1 \
    UNION ALL SELECT concat('trigger `', trigger_name, '` of table `', event_object_table, '`, which mentions it') \
        FROM information_schema.triggers WHERE trigger_schema = DATABASE() AND event_object_table <> $2 \
        AND concat(' ', action_statement, ' ') REGEXP concat('[^A-Za-z0-9_]', $3, '[^A-Za-z0-9_]') \
    UNION ALL SELECT concat('view `', table_name, '`') FROM information_schema.views \
        WHERE locate(concat('`', DATABASE(), '`.`', $4, '`'), view_definition) > 0 \
    UNION ALL SELECT DISTINCT 'its being partitioned' FROM information_schema.partitions \
        WHERE table_schema = DATABASE() AND table_name = $5 AND partition_name IS NOT NULL \
    UNION ALL SELECT concat('its storage engine ', engine) FROM information_schema.tables \
        WHERE table_schema = DATABASE() AND table_name = $6 AND table_type <> 'VIEW' AND engine <> 'InnoDB' \
    UNION ALL SELECT concat('its being a ', lower(table_type), ' table') FROM information_schema.tables \
        WHERE table_schema = DATABASE() AND table_name = $7 AND table_type NOT IN ('BASE TABLE') \
    UNION ALL SELECT concat('its ROW_FORMAT ', row_format, ', whose keys are too short') FROM information_schema.tables \
        WHERE table_schema = DATABASE() AND table_name = $8 AND engine = 'InnoDB' AND row_format IN ('Compact', 'Redundant') \
    UNION ALL SELECT concat('generated column `', column_name, '`') FROM information_schema.columns \
        WHERE table_schema = DATABASE() AND table_name = $9 AND (extra LIKE '%VIRTUAL GENERATED%' OR extra LIKE '%STORED GENERATED%')";
/// Foreign keys of the table, and of others that refer to it: the constraint, the column of this table, the other table.
const KEYS: &str = "SELECT constraint_name AS name, column_name AS own, referenced_table_name AS other \
        FROM information_schema.key_column_usage WHERE table_schema = DATABASE() AND table_name = $1 AND referenced_table_name IS NOT NULL \
    UNION ALL SELECT constraint_name, referenced_column_name, table_name FROM information_schema.key_column_usage \
        WHERE referenced_table_schema = DATABASE() AND referenced_table_name = $2";
const COLUMNS: &str = "SELECT column_name AS name, data_type AS base, column_type AS kind, collation_name AS collation_name, \
    CAST(character_maximum_length AS SIGNED) AS width, is_nullable = 'YES' AS nullable FROM information_schema.columns \
    WHERE table_schema = DATABASE() AND table_name = $1 ORDER BY ordinal_position";
const TABLE: &str = "SELECT table_collation AS what FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = $1";

pub(super) async fn inspect(
    db: &impl ConnectionTrait,
    engine: Engine,
    subject: &Subject,
) -> Result<Form, DbErr> {
    let table = subject.table.as_str();
    let mut form = Form { obstacles: texts(db, OBSTACLES, &[table; 9]).await?, ..Form::default() };
    let Some(shown) = create_table(db, table).await? else {
        form.obstacle("its being no ordinary table");
        return Ok(form);
    };
    if has_word(&shown.tail, &["VERSIONING"])
        || shown.items.iter().any(|item| has_word(item, &["PERIOD", "VERSIONING"]))
    {
        form.obstacle("its system versioning or its period, which keep former values");
    }
    let mut in_keys = Vec::new();
    for row in query(db, KEYS, &[table, table]).await? {
        let (name, own, other) =
            (required(&row, "name")?, required(&row, "own")?, required(&row, "other")?);
        if subject.sealed().any(|(_, theirs)| theirs.eq_ignore_ascii_case(&own)) {
            form.obstacle(format!(
                "foreign key `{name}` between column `{own}` and table `{other}`"
            ));
        }
        in_keys.push(own);
    }
    let columns = query(db, COLUMNS, &[table]).await?;
    let columns = columns.iter().map(Column::read).collect::<Result<Vec<_>, _>>()?;
    let whole = texts(db, TABLE, &[table]).await?.into_iter().next().unwrap_or_default();
    AdoptionSql {
        engine,
        subject,
        shown: &shown,
        in_keys: &in_keys,
        columns: &columns,
        whole: &whole,
    }
    .all(&mut form);
    Ok(form)
}

/// Returns the parsed SHOW CREATE TABLE, or `None` for an object that is no ordinary table.
async fn create_table(
    db: &impl ConnectionTrait,
    table: &str,
) -> Result<Option<CreateTable>, DbErr> {
    let shown = query(db, &format!("SHOW CREATE TABLE `{table}`"), &[]).await?;
    let shown = shown.first().map_or(Ok(None), |row| text(row, "Create Table"))?;
    Ok(shown.and_then(|sql| CreateTable::parse(&sql)))
}
