//! Inspects tables on PostgreSQL, which records the dependents of each column.

use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use strongroom_migration::{Engine, Limit};

use super::{Form, Subject, literal, query, required, text, texts};

/// Obstacles that do not depend on the columns. `$1` is the table.
const ENGINE: Engine = Engine::Postgres;

const OBSTACLES: &str = "WITH t AS (SELECT to_regclass(quote_ident($1))::oid AS id) \
    SELECT 'trigger `' || g.tgname || '`' AS what FROM pg_trigger g, t WHERE g.tgrelid = t.id AND NOT g.tgisinternal \
    UNION ALL SELECT 'rule `' || r.rulename || '`' FROM pg_rewrite r, t WHERE r.ev_class = t.id AND r.rulename <> '_RETURN' \
    UNION ALL SELECT 'row-level security policy `' || p.polname || '`' FROM pg_policy p, t WHERE p.polrelid = t.id \
    UNION ALL SELECT 'row-level security' FROM pg_class c, t WHERE c.oid = t.id AND (c.relrowsecurity OR c.relforcerowsecurity) \
    UNION ALL SELECT 'its being partitioned' FROM pg_class c, t WHERE c.oid = t.id AND c.relkind = 'p' \
    UNION ALL SELECT 'its being no ordinary table' FROM pg_class c, t WHERE c.oid = t.id AND c.relkind NOT IN ('r', 'p') \
    UNION ALL SELECT 'its type `' || c.reloftype::regtype::text || '`' FROM pg_class c, t WHERE c.oid = t.id AND c.reloftype <> 0 \
    UNION ALL SELECT 'its replica identity by an index' FROM pg_class c, t WHERE c.oid = t.id AND c.relreplident = 'i' \
    UNION ALL SELECT 'its parent table `' || i.inhparent::regclass::text || '`' FROM pg_inherits i, t WHERE i.inhrelid = t.id \
    UNION ALL SELECT 'its child table `' || i.inhrelid::regclass::text || '`' FROM pg_inherits i, t WHERE i.inhparent = t.id \
    UNION ALL SELECT 'publication `' || p.pubname || '`' FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid, t \
        WHERE r.prrelid = t.id \
    UNION ALL SELECT 'generated column `' || a.attname || '`' FROM pg_attribute a, t WHERE a.attrelid = t.id AND a.attgenerated <> '' \
        AND NOT a.attisdropped \
    UNION ALL SELECT 'identity column `' || a.attname || '`' FROM pg_attribute a, t WHERE a.attrelid = t.id AND a.attidentity <> '' \
        AND NOT a.attisdropped";
/// Names that step 1 and step 3 give to indexes, taken by others.
const TAKEN: &str = "SELECT 'the name of index `' || c.relname || '`, which step 1 or 3 gives to one of its own' AS what \
    FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace \
    AND c.relname IN ('credential_access_key', 'credential_access_key_index') \
    AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indexrelid = c.oid AND i.indrelid = to_regclass(quote_ident($1)))";
const COLUMN: &str = "SELECT format_type(a.atttypid, a.atttypmod)::text AS kind, t.typname::text AS base, t.typtype::text AS class, \
    (a.atttypmod - 4)::bigint AS width, a.attnotnull AS required, pg_get_expr(d.adbin, d.adrelid) AS default_sql, \
    CASE WHEN a.attcollation <> t.typcollation THEN quote_ident(n.nspname) || '.' || quote_ident(c.collname) END AS collation_name, \
    coalesce(c.collisdeterministic, TRUE) AS exact, col_description(a.attrelid, a.attnum) AS comment, \
    a.attacl::text AS rights FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
    LEFT JOIN pg_collation c ON c.oid = a.attcollation LEFT JOIN pg_namespace n ON n.oid = c.collnamespace \
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
    WHERE a.attrelid = to_regclass(quote_ident($1)) AND a.attname = $2 AND NOT a.attisdropped";
/// Constraints of the table that mention the column.
const CONSTRAINTS: &str = "SELECT k.conname::text AS name, pg_get_constraintdef(k.oid)::text AS sql, \
    obj_description(k.oid, 'pg_constraint') AS comment FROM pg_constraint k \
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attname = $2 AND a.attnum = ANY (k.conkey) \
    WHERE k.conrelid = to_regclass(quote_ident($1)) AND k.contype IN ('c', 'u', 'x') ORDER BY k.contype, k.conname";
/// Indexes of the table that mention the column, in a key, an expression or a condition, and are no constraint's.
const INDEXES: &str = "SELECT DISTINCT x.relname::text AS name, pg_get_indexdef(x.oid)::text AS sql, i.indisclustered AS clustered, \
    obj_description(x.oid, 'pg_class') AS comment FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid \
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = $2 \
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = x.oid AND d.refclassid = 'pg_class'::regclass \
        AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum \
    WHERE i.indrelid = to_regclass(quote_ident($1)) AND NOT i.indisprimary \
    AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.oid AND k.conrelid = i.indrelid AND k.contype IN ('u', 'x')) \
    ORDER BY 1";
/// Everything else that depends on the column: views, foreign keys, statistics, what a publication lists, triggers of others.
const OTHERS: &str = "SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid)::text AS what FROM pg_depend d \
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND a.attname = $2 \
    LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid \
    LEFT JOIN pg_index i ON d.classid = 'pg_class'::regclass AND i.indexrelid = d.objid \
    LEFT JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid \
    LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid \
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass(quote_ident($1)) \
    AND NOT coalesce(starts_with(t.tgname::text, 'strongroom_'), FALSE) \
    AND NOT coalesce(k.conrelid = d.refobjid AND k.contype IN ('c', 'u', 'x', 'n'), FALSE) \
    AND NOT coalesce(i.indrelid = d.refobjid AND NOT i.indisprimary, FALSE) \
    AND NOT coalesce(f.adrelid = d.refobjid AND f.adnum = a.attnum, FALSE) ORDER BY 1";
/// Views that read the table, and foreign keys of other tables that refer to it.
const DEPENDENTS: &str = "SELECT DISTINCT pg_describe_object('pg_class'::regclass, r.ev_class, 0) || ' depends on table `' || $1::text || '`' AS what \
    FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid \
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass(quote_ident($2)) AND r.ev_class <> d.refobjid \
    UNION ALL SELECT 'foreign key `' || k.conname || '` of table `' || k.conrelid::regclass::text || '` refers to table `' || $3::text || '`' \
    FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = to_regclass(quote_ident($4)) AND k.conrelid <> k.confrelid ORDER BY 1";

pub(super) async fn inspect(db: &impl ConnectionTrait, subject: &Subject) -> Result<Form, DbErr> {
    let mut form =
        Form { obstacles: texts(db, OBSTACLES, &[&subject.table]).await?, ..Form::default() };
    form.obstacles.extend(texts(db, TAKEN, &[&subject.table]).await?);
    let mut touched = Vec::new();
    for (ours, theirs) in &subject.matched {
        let Some(row) = query(db, COLUMN, &[&subject.table, theirs]).await?.into_iter().next()
        else {
            continue;
        };
        let column = Column { table: &subject.table, ours, theirs, row };
        if column.inspect(subject, &mut form)? {
            touched.push(theirs.as_str());
        }
    }
    for column in touched {
        carry_dependents(db, &subject.table, column, &mut form).await?;
    }
    Ok(form)
}

struct Column<'a> {
    table: &'a str,
    ours: &'a str,
    theirs: &'a str,
    row: QueryResult,
}

impl Column<'_> {
    /// Whether anything about the column changes on the way.
    fn inspect(&self, subject: &Subject, form: &mut Form) -> Result<bool, DbErr> {
        let kind = required(&self.row, "kind")?;
        if required(&self.row, "base")? == "bpchar" {
            form.obstacle(format!(
                "column `{}`, which is {kind}: the server pads it, and a cell is bound to its exact text",
                self.theirs
            ));
        }
        if !self.row.try_get::<bool>("", "exact")? && subject.is_bound(self.theirs) {
            form.obstacle(format!(
                "column `{}`, whose collation takes different texts for equal",
                self.theirs
            ));
        }
        if super::SEALED.contains(&self.ours) {
            self.carry_sealed(&kind, form)?;
            return Ok(true);
        }
        let Some((there, back)) = self.converted(&kind)? else { return Ok(false) };
        self.carry_converted(&kind, there, &back, form)?;
        Ok(true)
    }

    /// Carries the definition of a sealed column, which is lost when the column is dropped.
    fn carry_sealed(&self, kind: &str, form: &mut Form) -> Result<(), DbErr> {
        if text(&self.row, "rights")?.is_some() {
            form.obstacle(format!("rights on column `{}` alone, which end with it", self.theirs));
        }
        let collation = text(&self.row, "collation_name")?
            .unwrap_or_else(|| "pg_catalog.\"default\"".to_owned());
        let mut actions = vec![format!("TYPE {kind} COLLATE {collation}")];
        actions.push(
            if self.row.try_get("", "required")? { "SET NOT NULL" } else { "DROP NOT NULL" }
                .to_owned(),
        );
        self.carry_default(&mut actions, form)?;
        self.attach(&actions, form);
        if let Some(comment) = text(&self.row, "comment")? {
            form.carried.push(format!("comment on column {}", self.theirs));
            form.attach.push(format!(
                "COMMENT ON COLUMN {}.{} IS {}",
                ENGINE.quoted(self.table),
                ENGINE.quoted(self.theirs),
                literal(&comment)
            ));
        }
        let width: i64 = self.row.try_get("", "width")?;
        if let Ok(width) = u64::try_from(width) {
            form.limits.push(Limit {
                column: self.ours.to_owned(),
                characters: width,
                bytes: u64::MAX,
                highest: u32::MAX,
            });
        }
        Ok(())
    }

    /// Types that hold the same values as ours, in another form.
    fn converted(&self, kind: &str) -> Result<Option<(&'static str, String)>, DbErr> {
        let name = ENGINE.quoted(self.theirs);
        Ok(
            match (
                self.ours,
                required(&self.row, "class")?.as_str(),
                required(&self.row, "base")?.as_str(),
            ) {
                ("created_at", _, "timestamp") => {
                    Some(("timestamptz", format!("{name} AT TIME ZONE 'UTC'")))
                }
                ("extra", _, "json" | "jsonb") | ("type", "e", _) => {
                    Some(("text", format!("{name}::{kind}")))
                }
                _ => None,
            },
        )
    }

    fn carry_converted(
        &self,
        kind: &str,
        ours: &str,
        back: &str,
        form: &mut Form,
    ) -> Result<(), DbErr> {
        let name = ENGINE.quoted(self.theirs);
        let there = if ours == "text" { format!("{name}::text") } else { back.to_owned() };
        form.carried.push(format!("type {kind} of column {}", self.theirs));
        if self.ours != "created_at" {
            form.casts.push((self.ours.to_owned(), kind.to_owned()));
        }
        let mut actions = vec![format!("TYPE {kind} USING {back}")];
        self.carry_default(&mut actions, form)?;
        form.detach.push(format!(
            "ALTER TABLE {} ALTER COLUMN {name} TYPE {ours} USING {there}",
            ENGINE.quoted(self.table)
        ));
        if self.ours == "created_at" {
            form.detach.push(format!(
                "ALTER TABLE {} ALTER COLUMN {name} SET DEFAULT now()",
                ENGINE.quoted(self.table)
            ));
            actions.insert(0, "DROP DEFAULT".to_owned());
        }
        self.attach(&actions, form);
        Ok(())
    }

    fn carry_default(&self, actions: &mut Vec<String>, form: &mut Form) -> Result<(), DbErr> {
        if let Some(default) = text(&self.row, "default_sql")? {
            form.carried.push(format!("default of column {}", self.theirs));
            form.detach.push(format!(
                "ALTER TABLE {} ALTER COLUMN {} DROP DEFAULT",
                ENGINE.quoted(self.table),
                ENGINE.quoted(self.theirs)
            ));
            actions.push(format!("SET DEFAULT {default}"));
        }
        Ok(())
    }

    fn attach(&self, actions: &[String], form: &mut Form) {
        for action in actions {
            form.attach.push(format!(
                "ALTER TABLE {} ALTER COLUMN {} {action}",
                ENGINE.quoted(self.table),
                ENGINE.quoted(self.theirs)
            ));
        }
    }
}

/// Constraints before indexes, and each of them before the columns change.
async fn carry_dependents(
    db: &impl ConnectionTrait,
    table: &str,
    column: &str,
    form: &mut Form,
) -> Result<(), DbErr> {
    for what in texts(db, OTHERS, &[table, column]).await? {
        form.obstacle(format!("{what}, which depends on column `{column}`"));
    }
    let own = ENGINE.quoted(table);
    for row in query(db, CONSTRAINTS, &[table, column]).await? {
        let name = required(&row, "name")?;
        let drop = format!("ALTER TABLE {own} DROP CONSTRAINT {}", ENGINE.quoted(&name));
        let mut add = vec![format!(
            "ALTER TABLE {own} ADD CONSTRAINT {} {}",
            ENGINE.quoted(&name),
            required(&row, "sql")?
        )];
        let comment = text(&row, "comment")?;
        add.extend(comment.map(|it| {
            format!("COMMENT ON CONSTRAINT {} ON {own} IS {}", ENGINE.quoted(&name), literal(&it))
        }));
        carry(form, &format!("constraint {name}"), drop, add);
    }
    for row in query(db, INDEXES, &[table, column]).await? {
        let name = required(&row, "name")?;
        let mut add = vec![required(&row, "sql")?];
        let comment = text(&row, "comment")?;
        add.extend(
            comment
                .map(|it| format!("COMMENT ON INDEX {} IS {}", ENGINE.quoted(&name), literal(&it))),
        );
        if row.try_get::<bool>("", "clustered")? {
            add.push(format!("ALTER TABLE {own} CLUSTER ON {}", ENGINE.quoted(&name)));
        }
        carry(form, &format!("index {name}"), format!("DROP INDEX {}", ENGINE.quoted(&name)), add);
    }
    Ok(())
}

/// Once, though two of its columns are touched.
fn carry(form: &mut Form, what: &str, drop: String, add: Vec<String>) {
    if !form.detach.contains(&drop) {
        form.carried.push(what.to_owned());
        form.detach.insert(0, drop);
        form.attach.extend(add);
    }
}

pub(super) async fn dependents(
    db: &impl ConnectionTrait,
    table: &str,
) -> Result<Vec<String>, DbErr> {
    texts(db, DEPENDENTS, &[table, table, table, table]).await
}

/// Names foreign objects on the column. Names that begin with `credential_` are ours.
pub(super) async fn column_dependents(
    db: &impl ConnectionTrait,
    table: &str,
    column: &str,
) -> Result<Vec<String>, DbErr> {
    let mut found = texts(db, OTHERS, &[table, column]).await?;
    for (what, sql) in [("constraint", CONSTRAINTS), ("index", INDEXES)] {
        for row in query(db, sql, &[table, column]).await? {
            let name = required(&row, "name")?;
            if !name.starts_with("credential_") {
                found.push(format!("{what} `{name}`"));
            }
        }
    }
    Ok(found
        .into_iter()
        .map(|what| format!("{what} depends on column `{column}` of table `{table}`"))
        .collect())
}
