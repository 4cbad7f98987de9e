//! What a person is told when something goes wrong: what, why, and what to type next.

use sea_orm::DbErr;

use super::exit::Exit;
use crate::config::ConfigError;
use crate::credential::StoreError;
use crate::credential::keystone::{ImportError, RepositoryError};
use crate::db::{self, LockError};
use crate::key::{ManifestError, RingError, SourceError};
use crate::reseal::ResealError;
use crate::schema::SchemaError;

/// An error on its way out.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    /// A word that programs can rely on.
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Failure {
    #[expect(clippy::needless_pass_by_value, reason = "an error is handed over for good")]
    pub(super) fn new(exit: Exit, code: &'static str, message: impl ToString) -> Self {
        Self { exit, code, message: message.to_string(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn refused(code: &'static str, message: impl ToString) -> Self {
        Self::new(Exit::Refused, code, message)
    }
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        if db::is_missing_database(&error) {
            let failure =
                Self::new(Exit::Unreachable, "database_missing", format!("the database does not exist: {}", line(&error)));
            return failure.help("make it with `strongroom init`");
        }
        if db::is_unreachable(&error) {
            let failure =
                Self::new(Exit::Unreachable, "database_unreachable", format!("the database cannot be reached: {}", line(&error)));
            return failure.help("check `database.url` in the configuration, or STRONGROOM__DATABASE__URL");
        }
        if db::is_transient(&error) {
            let failure = Self::new(Exit::Failed, "database_busy", format!("the database stayed busy: {}", line(&error)));
            return failure.help("the same command again goes on where this one stopped");
        }
        Self::new(Exit::Failed, "database", format!("the database: {}", line(&error)))
    }
}

/// Drivers put their own cause behind several prefixes; the last says it.
fn line(error: &DbErr) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::Usage, "configuration", error).help("strongroom.example.toml lists every setting")
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let (code, help) = match &error {
            SourceError::Missing(_) => {
                ("key_missing", "make one with `strongroom init`, or restore it from its backup".to_owned())
            }
            SourceError::Readable { path, .. } => {
                ("key_readable", format!("close it with `chmod 600 {}`, and consider the key known to others", path.display()))
            }
            SourceError::Malformed(_) => {
                ("key_malformed", "restore the key file from its backup; `strongroom init` makes new ones only".to_owned())
            }
            SourceError::Weak(..) => {
                ("key_weak", "restore the key file from its backup, or move it away and run `strongroom init`".to_owned())
            }
            SourceError::Exists(_) => ("key_exists", "an existing key is never overwritten".to_owned()),
            SourceError::Io { .. } | SourceError::NoRandomness(_) => {
                ("key_unreadable", "check the file's owner and its folder's rights".to_owned())
            }
        };
        Self::refused(code, error).help(help)
    }
}

impl From<RingError> for Failure {
    fn from(error: RingError) -> Self {
        let help = match error {
            RingError::Database(error) => return error.into(),
            RingError::Source(error) => return error.into(),
            RingError::Roll(error) => return error.into(),
            RingError::Missing => "run `strongroom migrate up`",
            RingError::WrongRoot { .. } => "set `keys.file` to the key file that this database was sealed under",
            RingError::Forged => "compare table strongroom_manifest with a backup; whoever changed it can write to this database",
            RingError::Stale { .. } => {
                "an older copy of the database was put back: restore the newest, or lower `keys.minimum_epoch`"
            }
            RingError::Newer(_) => "use the program that wrote it, or a newer one",
            RingError::Raced => "run the same command again",
            RingError::Damaged { .. } => "restore table strongroom_key from a backup",
            RingError::Seal(_) | RingError::NoKey | RingError::NoRandomness(_) => {
                return Self::new(Exit::Failed, "sealing", error).help("`strongroom keys verify` names what is damaged");
            }
        };
        let code = match error {
            RingError::Missing => "ring_missing",
            RingError::WrongRoot { .. } => "wrong_key",
            RingError::Forged => "manifest_forged",
            RingError::Stale { .. } => "manifest_stale",
            RingError::Newer(_) => "database_newer",
            RingError::Raced => return Self::new(Exit::Failed, "raced", error).help(help),
            _ => "key_damaged",
        };
        Self::refused(code, error).help(help)
    }
}

impl From<ManifestError> for Failure {
    fn from(error: ManifestError) -> Self {
        let help = match error {
            ManifestError::NothingBefore(_) => "`strongroom keys status` lists the generations",
            ManifestError::Closed(_) => "`strongroom keys rotate` goes forward to a new one",
            ManifestError::RollingBack(_) => "finish it with `strongroom keys rotate --back`, then rotate",
        };
        Self::refused("cannot_roll", error).help(help)
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Database(error) => error.into(),
            LockError::Held { .. } => Self::new(Exit::Locked, "locked", error)
                .help("wait for it to finish; `strongroom migrate status` shows how far it is"),
            LockError::Lost => {
                Self::new(Exit::Locked, "lock_lost", error).help("nothing was written after that; the same command again goes on")
            }
        }
    }
}

impl From<ResealError> for Failure {
    fn from(error: ResealError) -> Self {
        match error {
            ResealError::Ring(error) => error.into(),
            ResealError::Lock(error) => error.into(),
            ResealError::Database(error) => error.into(),
            error => from_reseal(&error),
        }
    }
}

/// The kinds that are not another module's error passed through.
fn from_reseal(error: &ResealError) -> Failure {
    match error {
        ResealError::CutShort { .. } => Failure::new(Exit::Left, "cut_short", error).help("the same command again goes on"),
        ResealError::Interrupted { .. } => {
            Failure::new(Exit::Interrupted, "interrupted", error).help("the same command again goes on")
        }
        ResealError::Unverified { .. } => Failure::refused("unverified", error)
            .help("`strongroom keys verify` lists them all; repair or delete those rows, then run the same command again"),
        ResealError::UnknownPhase => {
            Failure::refused("database_newer", error).help("use the program that wrote it, or a newer one")
        }
        ResealError::NoRing => Failure::refused("ring_missing", error).help("run `strongroom migrate up`"),
        ResealError::WrongPhase { .. } => {
            Failure::refused("wrong_phase", error).help("compare tables strongroom_history and strongroom_manifest with a backup")
        }
        _ => Failure::new(Exit::Failed, "reseal", error).help("the same command again goes on"),
    }
}

impl From<SchemaError> for Failure {
    fn from(error: SchemaError) -> Self {
        if let Some(reseal) = error.reseal() {
            return named(
                match reseal {
                    ResealError::Ring(ring) => ring_by_reference(ring),
                    ResealError::Lock(LockError::Database(error)) | ResealError::Database(error) => error.clone().into(),
                    ResealError::Lock(LockError::Lost) => LockError::Lost.into(),
                    ResealError::Lock(LockError::Held { holder }) => LockError::Held { holder: holder.clone() }.into(),
                    other => from_reseal(other),
                },
                &error,
            );
        }
        match error {
            SchemaError::Database(error) => error.into(),
            SchemaError::Lock(error) => error.into(),
            SchemaError::Unknown(_) => {
                Self::new(Exit::Usage, "unknown_migration", error).help("`strongroom migrate status` lists them")
            }
            SchemaError::ForeignTable(_) => {
                Self::refused("foreign_table", error).help("rename that table, or use another database or schema")
            }
            SchemaError::Newer { .. } => {
                Self::refused("database_newer", error).help("use the program version that migrated it, or a newer one")
            }
            SchemaError::Edited { .. } => Self::refused("checksum", error)
                .help("use the program version that applied it; the history is in table strongroom_history"),
            SchemaError::Step { ref source, .. } => {
                let failure: Self = source.clone().into();
                named(failure, &error)
            }
        }
    }
}

/// The step's name goes before the reason.
fn named(mut failure: Failure, error: &SchemaError) -> Failure {
    if let SchemaError::Step { name, .. } = error {
        failure.message = format!("migration `{name}`: {}", failure.message);
    }
    failure
}

/// A ring error inside a step's error cannot be moved out of it; what matters can be told again.
fn ring_by_reference(error: &RingError) -> Failure {
    match error {
        RingError::Missing => RingError::Missing.into(),
        RingError::Forged => RingError::Forged.into(),
        RingError::WrongRoot { wanted, given } => RingError::WrongRoot { wanted: wanted.clone(), given: given.clone() }.into(),
        RingError::Stale { found, minimum } => RingError::Stale { found: *found, minimum: *minimum }.into(),
        RingError::Newer(what) => RingError::Newer(what.clone()).into(),
        RingError::Raced => RingError::Raced.into(),
        RingError::Damaged { id, purpose, reason } => RingError::Damaged { id: *id, purpose, reason: *reason }.into(),
        RingError::Roll(error) => (*error).into(),
        RingError::Database(error) => error.clone().into(),
        other @ (RingError::Seal(_) | RingError::NoKey | RingError::Source(_) | RingError::NoRandomness(_)) => {
            Failure::new(Exit::Failed, "sealing", other).help("`strongroom keys verify` names what is damaged")
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Ring(error) => error.into(),
            StoreError::Database(error) => error.into(),
            StoreError::NoTable => Self::new(Exit::Failed, "no_table", error).help("run `strongroom migrate up`"),
            StoreError::NotFound => Self::new(Exit::Failed, "not_found", error),
            StoreError::Exists => Self::new(Exit::Failed, "exists", error),
            StoreError::Unopenable { .. } => Self::new(Exit::Failed, "unopenable", error)
                .help("`strongroom keys verify` says why, and names every other such row"),
            StoreError::NoRoot => Self::refused("key_missing", error).help("set `keys.file` in the configuration"),
            StoreError::UnknownPhase => {
                Self::refused("database_newer", error).help("use the program that wrote it, or a newer one")
            }
            StoreError::TooLong(..) | StoreError::NotText => Self::new(Exit::Usage, "unfit", error),
            StoreError::Refused | StoreError::NoRandomness(_) => Self::new(Exit::Failed, "refused_by_database", error),
        }
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Store(error) => error.into(),
            ImportError::Source(error) => {
                let mut failure: Self = error.into();
                failure.message = format!("Keystone's database: {}", failure.message);
                failure.help("check `--from`; it must name a database with Keystone's `credential` table")
            }
            ImportError::Interrupted(_) => {
                Self::new(Exit::Interrupted, "interrupted", error).help("the same command again goes on")
            }
            ImportError::Dropped => Self::new(Exit::Failed, "import", error),
        }
    }
}

impl From<RepositoryError> for Failure {
    fn from(error: RepositoryError) -> Self {
        Self::refused("key_repository", error).help("`--key-repository` is Keystone's `[credential] key_repository` folder")
    }
}
