//! One component of a program that serves several.

use std::sync::{Arc, PoisonError, RwLock};

use sea_orm::{DatabaseConnection, DbErr};
use strongroom_entity::SealedColumn;
use strongroom_entity::credential::TABLE;

use super::rights::Expected;
use super::rolling::Rolling;
use crate::db::Address;
use crate::key::{Ring, ScopedColumns, ScopedKeys};
use crate::policy::{Component, Limits};

/// A pool on a component's own login, and the keys of the columns that its policy lets it open, seal and find by.
pub struct ComponentHandle {
    name: String,
    database: DatabaseConnection,
    pool: Box<dyn Rolling>,
    limits: Limits,
    share: RwLock<Arc<ScopedKeys>>,
    login: RwLock<String>,
}

impl ComponentHandle {
    pub(super) fn new(
        name: &str,
        of: &Component,
        pool: Box<dyn Rolling>,
        login: String,
        ring: &Arc<Ring>,
        keeper: &DatabaseConnection,
    ) -> Self {
        let share =
            RwLock::new(Arc::new(ScopedKeys::of(ring.clone(), keeper.clone(), share_of(of, ring))));
        Self {
            name: name.to_owned(),
            database: pool.database(),
            pool,
            limits: of.limits.clone(),
            share,
            login: RwLock::new(login),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its pool: whatever is run on it, the server holds to the component's rights.
    pub fn database(&self) -> &DatabaseConnection {
        &self.database
    }

    /// Its keys: of the columns that it may open, seal and find by, and no others.
    pub fn keys(&self) -> Arc<ScopedKeys> {
        self.share.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn login(&self) -> String {
        self.login.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn drop_sessions(&self) {
        self.pool.drop_sessions();
    }

    pub(super) async fn switch(
        &self,
        address: &Address,
        login: String,
        expected: Expected,
    ) -> Result<(), DbErr> {
        self.pool.switch(address, &self.name, expected).await?;
        *self.login.write().unwrap_or_else(PoisonError::into_inner) = login;
        Ok(())
    }

    pub(super) fn hold_to(
        &self,
        expected: Expected,
        of: &Component,
        ring: &Arc<Ring>,
        keeper: &DatabaseConnection,
    ) {
        self.pool.expect(expected);
        let share = Arc::new(ScopedKeys::of(ring.clone(), keeper.clone(), share_of(of, ring)));
        *self.share.write().unwrap_or_else(PoisonError::into_inner) = share;
    }
}

/// The labels whose cells a policy lets a component read, write, or look for: of the credentials, and of tables that programs
/// brought along.
fn share_of(component: &Component, ring: &Ring) -> ScopedColumns {
    let described =
        ring.manifest().sealed_tables().unwrap_or_default().into_iter().map(|(table, _)| table);
    let mut share = ScopedColumns::default();
    for table in std::iter::once(TABLE).chain(described) {
        let Some(rights) = component.tables.get(table.name) else { continue };
        let labels = |which: &dyn Fn(&&SealedColumn) -> bool| -> Vec<_> {
            table.columns.iter().filter(which).map(|column| column.label.to_owned()).collect()
        };
        share.opens.extend(labels(&|column| rights.select.contains(column.sealed)));
        share.seals.extend(labels(&|column| {
            rights.insert.contains(column.sealed) || rights.update.contains(column.sealed)
        }));
        share.indexes.extend(labels(&|column| {
            column.index.is_some_and(|index| rights.touched().contains(index))
        }));
    }
    share
}
