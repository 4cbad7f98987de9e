//! What cells are bound to, and what rows are told apart by: the same for tables with plaintext and for those without.

use sea_orm::ConnectionTrait;
use strongroom_entity::SealedTable;
use strongroom_migration::Engine;

use super::{query, require_column, required_text};
use crate::schema::sealing::error::Unsealable;

/// Unique indexes over the id alone, if it is never NULL. SQLite's primary keys may be.
const UNIQUE_ON_SQLITE: &str = "SELECT l.name AS name FROM sqlite_master t JOIN pragma_table_info(t.name) c \
    JOIN pragma_index_list(t.name) l JOIN pragma_index_info(l.name) i WHERE t.type = 'table' AND lower(t.name) = lower($1) \
    AND lower(c.name) = lower($2) AND c.\"notnull\" AND l.\"unique\" AND NOT l.partial \
    GROUP BY l.name HAVING count(*) = 1 AND max(lower(i.name)) = max(lower(c.name))";
const UNIQUE_ON_POSTGRES: &str = "SELECT i.indexrelid::regclass::text AS name FROM pg_index i \
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = $2 AND a.attnotnull \
    WHERE i.indrelid = to_regclass(quote_ident($1)) AND i.indisunique AND i.indisvalid AND i.indnkeyatts = 1 \
    AND i.indkey[0] = a.attnum AND i.indpred IS NULL AND i.indexprs IS NULL";
const UNIQUE_ON_MYSQL: &str = "SELECT index_name AS name FROM information_schema.statistics \
    WHERE table_schema = DATABASE() AND table_name = $1 AND non_unique = 0 GROUP BY index_name \
    HAVING count(*) = 1 AND lower(max(column_name)) = lower($2) AND max(sub_part) IS NULL AND max(nullable) <> 'YES'";

/// Columns that a foreign key changes when the row that it refers to changes or goes.
const CASCADES_ON_SQLITE: &str = "SELECT \"from\" AS name FROM pragma_foreign_key_list($1) \
    WHERE on_update IN ('CASCADE', 'SET NULL', 'SET DEFAULT') OR on_delete IN ('SET NULL', 'SET DEFAULT')";
const CASCADES_ON_POSTGRES: &str = "SELECT a.attname::text AS name FROM pg_constraint k \
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY(k.conkey) \
    WHERE k.conrelid = to_regclass(quote_ident($1)) AND k.contype = 'f' \
    AND (k.confupdtype IN ('c', 'n', 'd') OR k.confdeltype IN ('n', 'd'))";
const CASCADES_ON_MYSQL: &str = "SELECT u.column_name AS name FROM information_schema.referential_constraints r \
    JOIN information_schema.key_column_usage u ON u.constraint_schema = r.constraint_schema \
    AND u.constraint_name = r.constraint_name AND u.table_name = r.table_name \
    WHERE r.constraint_schema = DATABASE() AND r.table_name = $1 \
    AND (r.update_rule IN ('CASCADE', 'SET NULL', 'SET DEFAULT') OR r.delete_rule IN ('SET NULL', 'SET DEFAULT'))";

const ROW_SECURITY: &str = "SELECT relname::text AS name FROM pg_class WHERE oid = to_regclass(quote_ident($1)) AND relrowsecurity";
const ENCODING: &str = "SELECT encoding AS name FROM pragma_encoding";

/// Refuses what would change bindings past the guards, hide rows, or read them otherwise than they were written.
pub(super) async fn refuse_loose(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &'static SealedTable,
    there: &[(String, String)],
) -> Result<(), Unsealable> {
    let bound =
        || std::iter::once(table.id.name).chain(table.owners.iter().map(|owner| owner.name));
    for column in bound() {
        let found = require_column(table, there, column)?;
        if is_padded(engine, found) {
            let wanted = "of a type that is read as it was written, such as varchar";
            return Err(Unsealable::Type {
                table: table.name,
                column,
                found: found.to_owned(),
                wanted,
            });
        }
    }
    let (unique, cascades) = match engine {
        Engine::Sqlite => (UNIQUE_ON_SQLITE, CASCADES_ON_SQLITE),
        Engine::Postgres => (UNIQUE_ON_POSTGRES, CASCADES_ON_POSTGRES),
        Engine::MySql | Engine::MariaDb => (UNIQUE_ON_MYSQL, CASCADES_ON_MYSQL),
    };
    if query(db, unique, &[table.name, table.id.name]).await?.is_empty() {
        return Err(Unsealable::NotUnique { table: table.name, column: table.id.name });
    }
    for row in query(db, cascades, &[table.name]).await? {
        let column = required_text(&row, "name")?;
        if bound().any(|it| it.eq_ignore_ascii_case(&column)) {
            return Err(Unsealable::PastGuards { table: table.name, column });
        }
    }
    match engine {
        Engine::Postgres if !query(db, ROW_SECURITY, &[table.name]).await?.is_empty() => {
            Err(Unsealable::RowSecurity(table.name))
        }
        Engine::Sqlite => require_utf8(db).await,
        _ => Ok(()),
    }
}

/// SQLite's `char(n)` is text like any other.
fn is_padded(engine: Engine, kind: &str) -> bool {
    let kind = kind.to_lowercase();
    match engine {
        Engine::Postgres => ["character(", "bpchar"].iter().any(|padded| kind.starts_with(padded)),
        Engine::MySql | Engine::MariaDb => kind.starts_with("char("),
        Engine::Sqlite => false,
    }
}

async fn require_utf8(db: &impl ConnectionTrait) -> Result<(), Unsealable> {
    let rows = query(db, ENCODING, &[]).await?;
    let found = rows.first().map_or(Ok(String::new()), |row| required_text(row, "name"))?;
    if found == "UTF-8" { Ok(()) } else { Err(Unsealable::Encoding(found)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padded_types_are_told_from_others_by_the_names_that_the_engines_give_them() {
        for padded in ["character(64)", "bpchar"] {
            assert!(is_padded(Engine::Postgres, padded), "{padded}");
        }
        assert!(is_padded(Engine::MySql, "char(36)") && is_padded(Engine::MariaDb, "CHAR(36)"));
        assert!(
            !is_padded(Engine::Postgres, "character varying(64)")
                && !is_padded(Engine::MySql, "varchar(64)")
        );
        assert!(!is_padded(Engine::Sqlite, "char(36)"));
    }
}
