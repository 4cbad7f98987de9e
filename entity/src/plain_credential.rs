//! A credential in the clear: the table's form before schema step 6, where the plaintext columns are
//! the ones that count.

use std::fmt;

use sea_orm::entity::prelude::*;

/// A row. Printing it leaves the secrets out.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "credential")]
pub struct Model {
    /// At most 64 characters.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The user whom the credential belongs to.
    pub user_id: String,
    /// The project, or none.
    pub project_id: Option<String>,
    /// `ec2`, `totp`, `cert`, …
    pub r#type: String,
    /// The access key, in the clear.
    pub access_key: Option<String>,
    /// The secret, in the clear.
    pub secret_key: String,
    /// JSON of whatever else belongs to the credential.
    pub extra: Option<String>,
    /// When the row was made.
    pub created_at: ChronoDateTimeUtc,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("plain_credential::Model").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The credential stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
