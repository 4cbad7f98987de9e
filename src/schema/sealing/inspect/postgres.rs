//! PostgreSQL, which knows by itself what depends on a column.

use sea_orm::ConnectionTrait;
use strongroom_entity::SealedTable;
use strongroom_migration::Engine;

use super::{entangled, query, required_text, text};
use crate::schema::sealing::error::Unsealable;
use crate::schema::sealing::original::{Index, OriginalColumn, OriginalColumns};

/// A column, with the collation where it is another than the type's.
const COLUMN: &str = "SELECT a.attnum::bigint AS place, format_type(a.atttypid, a.atttypmod)::text AS kind, t.typname::text AS base, \
    CASE WHEN a.attcollation <> t.typcollation THEN quote_ident(n.nspname) || '.' || quote_ident(c.collname) END AS collation_name, \
    a.attnotnull AS required, a.attgenerated::text AS generated, pg_get_expr(d.adbin, d.adrelid) AS default_sql \
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation c ON c.oid = a.attcollation \
    LEFT JOIN pg_namespace n ON n.oid = c.collnamespace LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
    WHERE a.attrelid = to_regclass(quote_ident($1)) AND a.attname = $2 AND NOT a.attisdropped";
/// Indexes over the column alone, with the constraint that made them.
const INDEXES: &str = "SELECT x.relname::text AS name, pg_get_indexdef(x.oid)::text AS sql, quote_ident(k.conname)::text AS owner, \
    pg_get_constraintdef(k.oid)::text AS constraint_sql FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid \
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = $2 \
    LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype = 'u' \
    WHERE i.indrelid = to_regclass(quote_ident($1)) AND i.indnatts = 1 AND i.indkey[0] = a.attnum AND NOT i.indisprimary \
    AND NOT i.indisexclusion AND i.indexprs IS NULL AND i.indpred IS NULL ORDER BY x.relname";
/// Everything else that hangs on it. A constraint of type `n` is NOT NULL itself.
const OTHERS: &str = "SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid)::text AS what FROM pg_depend d \
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND a.attname = $2 \
    LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid \
    LEFT JOIN pg_index i ON d.classid = 'pg_class'::regclass AND i.indexrelid = d.objid \
    LEFT JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid \
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass(quote_ident($1)) \
    AND NOT coalesce(k.conrelid = d.refobjid AND k.contype IN ('u', 'n') AND k.conkey = ARRAY[a.attnum], FALSE) \
    AND NOT coalesce(i.indnatts = 1 AND i.indkey[0] = a.attnum AND i.indexprs IS NULL AND i.indpred IS NULL, FALSE) \
    AND NOT coalesce(f.adrelid = d.refobjid AND f.adnum = a.attnum, FALSE) ORDER BY 1";

pub(super) async fn originals(
    db: &impl ConnectionTrait,
    table: &'static SealedTable,
) -> Result<OriginalColumns, Unsealable> {
    let mut originals = Vec::new();
    for column in table.plain_columns() {
        originals.push((column, original(db, table, column).await?));
    }
    Ok(originals)
}

async fn original(
    db: &impl ConnectionTrait,
    table: &'static SealedTable,
    column: &'static str,
) -> Result<OriginalColumn, Unsealable> {
    let rows = query(db, COLUMN, &[table.name, column]).await?;
    let row = rows.first().ok_or(Unsealable::NoColumn { table: table.name, column })?;
    let found = required_text(row, "kind")?;
    if !["text", "varchar", "bpchar"].contains(&required_text(row, "base")?.as_str()) {
        return Err(Unsealable::Type { table: table.name, column, found, wanted: "text" });
    }
    if !required_text(row, "generated")?.is_empty() {
        return Err(entangled(table, column, "its being generated"));
    }
    if let Some(other) = query(db, OTHERS, &[table.name, column]).await?.first() {
        return Err(entangled(table, column, required_text(other, "what")?));
    }
    let name = Engine::Postgres.quoted(column);
    let mut constraints = Vec::new();
    constraints.extend(
        text(row, "default_sql")?.map(|sql| format!("ALTER COLUMN {name} SET DEFAULT {sql}")),
    );
    if row.try_get::<bool>("", "required")? {
        constraints.push(format!("ALTER COLUMN {name} SET NOT NULL"));
    }
    let mut indexes = Vec::new();
    for index in query(db, INDEXES, &[table.name, column]).await? {
        match text(&index, "owner")? {
            Some(owner) => constraints.push(format!(
                "ADD CONSTRAINT {owner} {}",
                required_text(&index, "constraint_sql")?
            )),
            None => indexes.push(Index {
                name: required_text(&index, "name")?,
                sql: required_text(&index, "sql")?,
            }),
        }
    }
    let collation = text(row, "collation_name")?
        .map_or_else(String::new, |collation| format!(" COLLATE {collation}"));
    let place = row.try_get::<i64>("", "place")?;
    Ok(OriginalColumn {
        kind: format!("{found}{collation}"),
        place,
        constraints,
        indexes,
        ..OriginalColumn::default()
    })
}
