//! What to type when a key, the ring or the manifest is refused.

use super::Failure;
use crate::cli::exit::Exit;
use crate::key::{ManifestError, RingError, SourceError};

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let (code, help) = match &error {
            SourceError::Missing { .. } => {
                ("key_missing", "restore it from its backup; `strongroom init` makes one where nothing is sealed yet".to_owned())
            }
            SourceError::Readable { path, .. } => {
                ("key_readable", format!("close it with `chmod 600 {}`, and consider the key known to others", path.display()))
            }
            SourceError::Malformed { .. } => {
                ("key_malformed", "restore it from its backup; `strongroom init` makes new ones only".to_owned())
            }
            SourceError::WrongPassphrase { .. } => {
                ("wrong_passphrase", "give the passphrase that it was sealed under, or restore it from its backup".to_owned())
            }
            SourceError::Weak { .. } => {
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
            RingError::Missing => "run `strongroom migrate up --yes`",
            RingError::WrongRoot { .. } => {
                "set `[keys]` to the source of the root that this database is under, or add it as `[keys.next]`"
            }
            RingError::Forged => "compare table strongroom_manifest with a backup; whoever changed it can write to this database",
            RingError::Stale { .. } => {
                "an older copy of the database was put back: restore the newest, or lower `keys.minimum_epoch`"
            }
            RingError::Newer(_) => "use the program that wrote it, or a newer one",
            RingError::Raced => "run the same command again",
            RingError::Damaged { .. } => "restore table strongroom_key from a backup",
            RingError::Seal(_) | RingError::NoKey | RingError::NotShared | RingError::NoRandomness(_) => {
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
            ManifestError::Unknown(_) => {
                return Self::new(Exit::Failed, "unknown_generation", error)
                    .help("`strongroom keys status` lists the generations");
            }
            ManifestError::InUse(_) => {
                return Self::refused("key_in_use", error).help("`strongroom keys rotate` makes another generation active");
            }
            ManifestError::BoundOtherwise(_) | ManifestError::LabelTaken { .. } | ManifestError::Ours(_) => {
                return Self::refused("cannot_seal", error).help("the description of the table stands in the program's source");
            }
            ManifestError::NothingBefore(_) => "`strongroom keys status` lists the generations",
            ManifestError::Closed(_) => "`strongroom keys rotate` goes forward to a new one",
            ManifestError::RollingBack(_) => "finish it with `strongroom keys rotate --back`, then rotate",
        };
        Self::refused("cannot_roll", error).help(help)
    }
}
