//! What to type when the store, an import or an export did not do what was asked.

use sea_orm::DbErr;

use super::{Failure, database};
use crate::exit::Exit;
use strongroom::credential::StoreError;
use strongroom::credential::keystone::{ExportError, ImportError, RepositoryError};

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Ring(error) => error.into(),
            StoreError::Database(error) => error.into(),
            StoreError::NoTable => {
                Self::new(Exit::Failed, "no_table", error).help("run `strongroom migrate up --yes`")
            }
            StoreError::NotFound => Self::new(Exit::Failed, "not_found", error),
            StoreError::Exists => Self::new(Exit::Failed, "exists", error),
            StoreError::Unopenable { .. } => Self::new(Exit::Failed, "unopenable", error)
                .help("`strongroom keys verify` says why, and names every other such row"),
            StoreError::NoRoot => {
                Self::refused("key_missing", error).help("set `keys.file` in the configuration")
            }
            StoreError::UnknownPhase => Self::refused("database_newer", error)
                .help("use the program that wrote it, or a newer one"),
            StoreError::TooLong(..) | StoreError::NotText | StoreError::TooMany(_) => {
                Self::new(Exit::Usage, "unfit", error)
            }
            StoreError::Held => Self::new(Exit::Failed, "database_busy", error)
                .help("run the migration again that was cut short, or wait for the one that runs"),
            StoreError::Refused | StoreError::NoRandomness(_) => {
                Self::new(Exit::Failed, "refused_by_database", error)
            }
            error => Self::unnamed(error),
        }
    }
}

impl Failure {
    /// `named_by`: the option or setting that names Keystone's database.
    pub(crate) fn of_import(error: ImportError, named_by: &str) -> Self {
        match error {
            ImportError::Store(error) => error.into(),
            ImportError::Source(error) => keystones(&error, named_by),
            ImportError::Interrupted(_) => Self::new(Exit::Interrupted, "interrupted", error)
                .help("the same command again goes on"),
            ImportError::Dropped => Self::new(Exit::Failed, "import", error),
            error => Self::unnamed(error),
        }
    }

    /// `named_by`: the option or setting that names Keystone's database.
    pub(crate) fn of_export(error: ExportError, named_by: &str) -> Self {
        match error {
            ExportError::Store(error) => error.into(),
            ExportError::Target(error) => keystones(&error, named_by),
            ExportError::Differs { .. } => Self::refused("needs_yes", error)
                .help("run it again with --yes to overwrite what Keystone has"),
            ExportError::Interrupted => Self::new(Exit::Interrupted, "interrupted", error)
                .help("the same command again goes on"),
            ExportError::Dropped => Self::new(Exit::Failed, "export", error),
            error => Self::unnamed(error),
        }
    }
}

fn keystones(error: &DbErr, named_by: &str) -> Failure {
    let mut failure = database::failure(error, named_by);
    failure.message = format!("Keystone's database: {}", failure.message);
    let is_served = failure.help.is_none();
    if is_served {
        failure.help(format!(
            "check `{named_by}`; it must name a database with Keystone's `credential` table"
        ))
    } else {
        failure
    }
}

impl From<RepositoryError> for Failure {
    fn from(error: RepositoryError) -> Self {
        Self::refused("key_repository", error)
            .help("`--key-repository` is Keystone's `[credential] key_repository` folder")
    }
}
