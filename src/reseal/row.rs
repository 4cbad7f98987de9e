//! One row of any table with cells: what its cells are bound to, whether they open, and its removal.
//!
//! Promises: nothing is removed but the row as it was judged, under the run lock; and never a row of another table with it,
//! as far as foreign keys tell.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};
use strongroom_entity::{SealedColumn, SealedTable};
use strongroom_migration::Phase;

use super::error::ResealError;
use super::page::{self, Forms, Row, decode, select_list};
use super::quarantine::{self, Bad};
use super::statement::{Slot, id_value, owner_slot};
use crate::crypto;
use crate::db::{self, ByDialect, Dialect, Lock, statement};
use crate::key::Ring;

/// A row as it was read.
pub struct StoredRow {
    table: &'static SealedTable,
    row: Row,
}

impl StoredRow {
    /// The row of exactly this id: a database may take others for the same. Plaintext is read only in phase `restoring`, where
    /// it may be all that is left of a value.
    pub async fn find(
        db: &impl ConnectionTrait,
        table: &'static SealedTable,
        phase: Phase,
        id: &str,
    ) -> Result<Option<Self>, DbErr> {
        let dialect = Dialect::of(db);
        let forms = if phase == Phase::Restoring { Forms::Both } else { Forms::SealedOnly };
        let (list, name) = (select_list(table, forms, dialect), dialect.quoted(table.name));
        let sql = format!("SELECT {list} FROM {name} WHERE {} = $1", dialect.quoted(table.id.name));
        let found = db.query_all_raw(statement(dialect, &sql, [id_value(table.id, id)])).await?;
        let rows =
            found.iter().map(|row| decode(row, table, forms)).collect::<Result<Vec<_>, _>>()?;
        Ok(rows.into_iter().find(|row| row.id == id).map(|row| Self { table, row }))
    }

    /// The cells that are there, and their columns.
    pub fn cells(&self) -> impl Iterator<Item = (&'static SealedColumn, &[u8])> {
        self.table
            .columns
            .iter()
            .zip(&self.row.cells)
            .filter_map(|(column, cell)| Some((column, cell.sealed.as_deref()?)))
    }

    /// What they are bound to beside the id, under its labels.
    pub fn owners(&self) -> &[(&'static str, crypto::Value<'static>)] {
        &self.row.context
    }

    /// The cells that do not open. Unlike in a verification, what opens to something unexpected is not among them.
    pub async fn unopened(
        &self,
        db: &impl ConnectionTrait,
        ring: &Arc<Ring>,
    ) -> Result<Vec<Bad>, ResealError> {
        ring.learn(db, page::cells(std::slice::from_ref(&self.row))).await?;
        let tried = self.cells().map(|(column, cell)| {
            (column, ring.open_at(&self.row.place(column.label), cell).err())
        });
        Ok(tried
            .filter_map(|(column, reason)| {
                Some(Bad { row: self.row.id.clone(), column: column.sealed, reason: reason? })
            })
            .collect())
    }

    /// Whether plaintext stands beside one of these cells.
    pub fn has_plaintext(&self, of: &[Bad]) -> bool {
        let mut cells = self.table.columns.iter().zip(&self.row.cells);
        cells.any(|(column, cell)| {
            cell.plain.is_some() && of.iter().any(|bad| bad.column == column.sealed)
        })
    }

    /// Removes it and what quarantine has of it, if it is still as it was read; whether it was.
    pub async fn remove(&self, db: &DatabaseConnection, lock: &Lock) -> Result<bool, ResealError> {
        db::retry!(self.remove_once(db, lock))
    }

    async fn remove_once(&self, db: &DatabaseConnection, lock: &Lock) -> Result<bool, ResealError> {
        let transaction = db::begin(db).await?;
        if transaction.execute_raw(self.removal(Dialect::of(db))).await?.rows_affected() != 1 {
            transaction.rollback().await?;
            return Ok(false);
        }
        quarantine::forget_row(&transaction, self.table.name, &self.row.id).await?;
        lock.fence(&transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }

    fn removal(&self, dialect: Dialect) -> Statement {
        let cells = self.table.columns.iter().zip(&self.row.cells);
        let cells = cells.map(|(column, cell)| (Slot::Bytes(column.sealed), cell.sealed.clone()));
        let owners = self.table.owners.iter().zip(&self.row.owners);
        let owners = owners.map(|(owner, value)| (owner_slot(*owner, dialect), value.clone()));
        let (slots, values): (Vec<_>, Vec<_>) = cells.chain(owners).unzip();
        let same = slots.iter().zip(2..).map(|(slot, n): (_, usize)| {
            slot.is(&dialect.typed(&format!("${n}"), "bytea"), self.table, dialect)
        });
        let (name, id) = (dialect.quoted(self.table.name), dialect.quoted(self.table.id.name));
        let sql = format!(
            "DELETE FROM {name} WHERE {id} = $1 AND {}",
            same.collect::<Vec<_>>().join(" AND ")
        );
        statement(
            dialect,
            &sql,
            std::iter::once(id_value(self.table.id, &self.row.id))
                .chain(values.into_iter().map(Into::into)),
        )
    }

    /// The tables of which rows would be removed or changed with it, by foreign keys.
    pub async fn takes_along(&self, db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
        let dialect = Dialect::of(db);
        let sql = dialect.pick(TAKEN_ALONG);
        let rows = db.query_all_raw(statement(dialect, sql, [self.table.name.into()])).await?;
        rows.iter().map(|row| row.try_get("", "name")).collect()
    }
}

/// The tables whose rows a foreign key removes or changes with a row of this one.
const TAKEN_ALONG: ByDialect<&str> = ByDialect {
    postgres: "SELECT DISTINCT conrelid::regclass::text AS name FROM pg_constraint \
        WHERE contype = 'f' AND confdeltype IN ('c', 'n', 'd') AND confrelid = to_regclass(quote_ident($1)) ORDER BY 1",
    mysql: "SELECT DISTINCT table_name AS name FROM information_schema.referential_constraints \
        WHERE unique_constraint_schema = DATABASE() AND referenced_table_name = $1 \
        AND delete_rule IN ('CASCADE', 'SET NULL', 'SET DEFAULT') ORDER BY 1",
    sqlite: "SELECT DISTINCT m.name AS name FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f \
        WHERE m.type = 'table' AND lower(f.\"table\") = lower($1) \
        AND f.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT') ORDER BY 1",
};
