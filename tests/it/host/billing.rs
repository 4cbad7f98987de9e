//! A program with three steps, which tests can make fail, wait, or differ.

use super::*;

pub(super) const NAMES: [&str; 3] = ["m0001_create_invoice", "m0002_add_paid", "m0003_settle"];

/// What the steps of a test do besides, and how they differ from those of another version.
#[derive(Clone, Default)]
pub(super) struct Billing {
    /// How many of the steps this version has.
    pub(super) without: usize,
    /// The width of the column of step 2.
    pub(super) edited: bool,
    /// Step 3 fails after its first statement.
    pub(super) fails: Arc<AtomicBool>,
    /// Step 3 is written another way.
    pub(super) mended: bool,
    /// Step 3 takes as long as this.
    pub(super) pause: Duration,
    pub(super) table: Option<&'static str>,
}

impl MigratorTraitSelf for Billing {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let (first, second) = (CreateInvoice, AddPaid { edited: self.edited });
        let steps: [Box<dyn MigrationTrait>; 3] =
            [Box::new(first), Box::new(second), Box::new(Settle(self.clone()))];
        steps.into_iter().take(3 - self.without).collect()
    }

    fn migration_table_name(&self) -> DynIden {
        Alias::new(self.table.unwrap_or("seaql_migrations")).into_iden()
    }
}

pub(super) struct CreateInvoice;

impl MigrationName for CreateInvoice {
    fn name(&self) -> &str {
        NAMES[0]
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateInvoice {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create();
        table
            .table("invoice")
            .col(ColumnDef::new("id").integer().primary_key())
            .col(ColumnDef::new("amount").integer().not_null());
        manager.create_table(table).await?;
        let mut index = Index::create();
        manager
            .create_index(index.name("invoice_amount").table("invoice").col("amount").to_owned())
            .await?;
        manager
            .get_connection()
            .execute_unprepared("INSERT INTO invoice (id, amount) VALUES (1, 10), (2, 20)")
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("invoice").to_owned()).await
    }
}

pub(super) struct AddPaid {
    pub(super) edited: bool,
}

impl MigrationName for AddPaid {
    fn name(&self) -> &str {
        NAMES[1]
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddPaid {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = ColumnDef::new("paid");
        column.integer();
        if self.edited {
            column.not_null().default(7);
        }
        manager.alter_table(Table::alter().table("invoice").add_column(column).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("invoice").drop_column("paid").to_owned()).await
    }
}

/// Looks what is left to do, so that it may be run again.
pub(super) struct Settle(Billing);

impl MigrationName for Settle {
    fn name(&self) -> &str {
        NAMES[2]
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Settle {
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if !manager.has_column("invoice", "paid").await? {
            return Err(DbErr::Custom("nothing to settle".to_owned()));
        }
        db.execute_unprepared("UPDATE invoice SET paid = amount WHERE id = 1 AND paid IS NULL")
            .await?;
        if !is_recorded(manager) {
            tokio::time::sleep(self.0.pause).await;
            if self.0.fails.load(Ordering::Acquire) {
                return Err(DbErr::Custom("as was asked".to_owned()));
            }
        }
        let rest = if self.0.mended { "paid IS NULL AND id > 1" } else { "paid IS NULL" };
        db.execute_unprepared(&format!("UPDATE invoice SET paid = amount WHERE {rest}"))
            .await
            .map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .get_connection()
            .execute_unprepared("UPDATE invoice SET paid = NULL")
            .await
            .map(drop)
    }
}
