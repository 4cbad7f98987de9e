//! A credential, sealed. The table's form from schema step 6 on.

use sea_orm::ActiveValue;
use sea_orm::entity::prelude::*;

use crate::{
    Binding, BlindIndex, Bound, IdColumn, IdKind, Label, OwnerColumn, OwnerKind, OwnerValue as _, Sealable, Sealed, SealedColumn,
    SealedEntity, SealedTable, Searchable, Unset,
};

/// The access key: an identifier that clients present.
#[derive(Debug, Clone, Copy)]
pub struct AccessKey;
impl Label for AccessKey {
    const LABEL: &'static str = "credential.access_key";
}

/// The secret key, or for other types than `ec2` the whole secret.
#[derive(Debug, Clone, Copy)]
pub struct SecretKey;
impl Label for SecretKey {
    const LABEL: &'static str = "credential.secret_key";
}

/// The table as the reseal engine sees it.
pub const TABLE: &SealedTable = &SealedTable {
    name: "credential",
    id: IdColumn { name: "id", kind: IdKind::Text },
    owners: &[owner("user_id"), owner("project_id"), owner("type"), owner("extra")],
    scope: Some("project_id"),
    columns: &[
        SealedColumn {
            label: AccessKey::LABEL,
            plain: Some("access_key"),
            sealed: "access_key_sealed",
            index: Some("access_key_index"),
            nullable: true,
        },
        SealedColumn {
            label: SecretKey::LABEL,
            plain: Some("secret_key"),
            sealed: "secret_key_sealed",
            index: None,
            nullable: false,
        },
    ],
};

const fn owner(name: &'static str) -> OwnerColumn {
    OwnerColumn { name, label: name, kind: OwnerKind::Text }
}

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
    pub access_key_index: Option<BlindIndex<AccessKey>>,
    /// The sealed secret.
    pub secret_key_sealed: Sealed<SecretKey>,
}

/// The credential stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl SealedEntity for Entity {
    const TABLE: &'static SealedTable = TABLE;
}

impl Model {
    fn binding(&self) -> Binding {
        Binding {
            id: self.id.clone(),
            owners: vec![
                ("user_id", self.user_id.owner()),
                ("project_id", self.project_id.owner()),
                ("type", self.r#type.owner()),
                ("extra", self.extra.owner()),
            ],
            scope: self.project_id.clone(),
        }
    }
}

impl Bound<AccessKey> for Model {
    type Cell = Option<Sealed<AccessKey>>;

    fn binding(&self) -> Binding {
        self.binding()
    }

    fn cell(&self) -> &Self::Cell {
        &self.access_key_sealed
    }
}

impl Bound<SecretKey> for Model {
    type Cell = Sealed<SecretKey>;

    fn binding(&self) -> Binding {
        self.binding()
    }

    fn cell(&self) -> &Self::Cell {
        &self.secret_key_sealed
    }
}

impl ActiveModel {
    fn binding(&self) -> Result<Binding, Unset> {
        let project = given(&self.project_id, "project_id")?;
        Ok(Binding {
            id: given(&self.id, "id")?,
            owners: vec![
                ("user_id", given(&self.user_id, "user_id")?.owner()),
                ("project_id", project.owner()),
                ("type", given(&self.r#type, "type")?.owner()),
                ("extra", given(&self.extra, "extra")?.owner()),
            ],
            scope: project,
        })
    }
}

impl Sealable<AccessKey> for ActiveModel {
    const IS_INDEXED: bool = true;

    fn binding(&self) -> Result<Binding, Unset> {
        self.binding()
    }

    fn put(&mut self, cell: Sealed<AccessKey>, index: Option<BlindIndex<AccessKey>>) {
        self.access_key_sealed = ActiveValue::Set(Some(cell));
        self.access_key_index = ActiveValue::Set(index);
    }
}

impl Sealable<SecretKey> for ActiveModel {
    const IS_INDEXED: bool = false;

    fn binding(&self) -> Result<Binding, Unset> {
        self.binding()
    }

    fn put(&mut self, cell: Sealed<SecretKey>, _: Option<BlindIndex<SecretKey>>) {
        self.secret_key_sealed = ActiveValue::Set(cell);
    }
}

impl Searchable for AccessKey {
    type Entity = Entity;

    fn index() -> Column {
        Column::AccessKeyIndex
    }
}

fn given<V: Into<sea_orm::Value> + Clone>(value: &ActiveValue<V>, column: &'static str) -> Result<V, Unset> {
    value.try_as_ref().cloned().ok_or(Unset(column))
}
