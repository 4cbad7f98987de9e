//! A credential, sealed. The table's form from schema step 6 on.

use sea_orm::ActiveValue;
use sea_orm::entity::prelude::*;

use crate::{Binding, Bound, Label, Owner, Sealable, Sealed, SealedColumn, SealedTable, Unset};

/// The access key: an identifier that clients present.
#[derive(Debug)]
pub struct AccessKey;
impl Label for AccessKey {
    const LABEL: &'static str = "credential.access_key";
}

/// The secret key, or for other types than `ec2` the whole secret.
#[derive(Debug)]
pub struct SecretKey;
impl Label for SecretKey {
    const LABEL: &'static str = "credential.secret_key";
}

/// The table as the reseal engine sees it.
pub const TABLE: SealedTable = SealedTable {
    name: "credential",
    id: "id",
    owners: &["user_id", "project_id", "type", "extra"],
    scope: "project_id",
    columns: &[
        SealedColumn {
            label: AccessKey::LABEL,
            plain: "access_key",
            sealed: "access_key_sealed",
            index: Some("access_key_index"),
            nullable: true,
        },
        SealedColumn { label: SecretKey::LABEL, plain: "secret_key", sealed: "secret_key_sealed", index: None, nullable: false },
    ],
};

/// A row. Everything but the cells, the index and the time is bound into the cells.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "credential")]
pub struct Model {
    /// Made by the program, at most 64 characters.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The user whom the credential belongs to.
    pub user_id: String,
    /// The project, or none.
    pub project_id: Option<String>,
    /// `ec2`, `totp`, `cert`, …
    pub r#type: String,
    /// JSON of whatever else belongs to the credential: its restrictions.
    pub extra: Option<String>,
    /// When the row was made.
    pub created_at: ChronoDateTimeUtc,
    /// The sealed access key.
    pub access_key_sealed: Option<Sealed<AccessKey>>,
    /// The blind index of the access key, 16 bytes, unique.
    pub access_key_index: Option<Vec<u8>>,
    /// The sealed secret.
    pub secret_key_sealed: Sealed<SecretKey>,
}

/// The credential stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    fn binding(&self) -> Binding {
        Binding {
            id: self.id.clone(),
            owners: vec![
                ("user_id", Owner::Text(Some(self.user_id.clone()))),
                ("project_id", Owner::Text(self.project_id.clone())),
                ("type", Owner::Text(Some(self.r#type.clone()))),
                ("extra", Owner::Text(self.extra.clone())),
            ],
            scope: self.project_id.clone(),
        }
    }
}

impl Bound<AccessKey> for Model {
    fn binding(&self) -> Binding {
        self.binding()
    }

    fn cell(&self) -> Option<&Sealed<AccessKey>> {
        self.access_key_sealed.as_ref()
    }
}

impl Bound<SecretKey> for Model {
    fn binding(&self) -> Binding {
        self.binding()
    }

    fn cell(&self) -> Option<&Sealed<SecretKey>> {
        Some(&self.secret_key_sealed)
    }
}

impl ActiveModel {
    fn binding(&self) -> Result<Binding, Unset> {
        Ok(Binding {
            id: given(&self.id, "id")?,
            owners: vec![
                ("user_id", Owner::Text(Some(given(&self.user_id, "user_id")?))),
                ("project_id", Owner::Text(given(&self.project_id, "project_id")?)),
                ("type", Owner::Text(Some(given(&self.r#type, "type")?))),
                ("extra", Owner::Text(given(&self.extra, "extra")?)),
            ],
            scope: given(&self.project_id, "project_id")?,
        })
    }
}

impl Sealable<AccessKey> for ActiveModel {
    fn binding(&self) -> Result<Binding, Unset> {
        self.binding()
    }

    fn put(&mut self, cell: Sealed<AccessKey>) {
        self.access_key_sealed = ActiveValue::Set(Some(cell));
    }
}

impl Sealable<SecretKey> for ActiveModel {
    fn binding(&self) -> Result<Binding, Unset> {
        self.binding()
    }

    fn put(&mut self, cell: Sealed<SecretKey>) {
        self.secret_key_sealed = ActiveValue::Set(cell);
    }
}

fn given<V: Into<sea_orm::Value> + Clone>(value: &ActiveValue<V>, column: &'static str) -> Result<V, Unset> {
    value.try_as_ref().cloned().ok_or(Unset(column))
}
