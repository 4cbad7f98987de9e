//! What to type when a key, the ring or the manifest is refused.

use super::Failure;
use super::files::{code_of, help_of};
use crate::exit::Exit;
use strongroom::internal::file::FileError;
use strongroom::key::{Epoch, ManifestError, RingError, SourceError};

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let (code, help) = match &error {
            SourceError::Missing { .. } => {
                ("key_missing", "restore it from its backup; `strongroom init` makes one where nothing is sealed yet".to_owned())
            }
            SourceError::File(file) => return of_key_file(file),
            SourceError::TooLong { longest } => (
                "passphrase_too_long",
                format!("give a shorter one; a root that was sealed under a longer one opens with its first {longest} bytes"),
            ),
            SourceError::Malformed { .. } => {
                ("key_malformed", "restore it from its backup; `strongroom init` makes new ones only".to_owned())
            }
            SourceError::WrongPassphrase { .. } => {
                ("wrong_passphrase", "give the passphrase that it was sealed under, or restore it from its backup".to_owned())
            }
            SourceError::Weak { .. } => {
                ("key_weak", "restore the key file from its backup, or move it away and run `strongroom init`".to_owned())
            }
            SourceError::NoRandomness(_) => ("key_unreadable", "check the file's owner and its folder's rights".to_owned()),
            _ => return Self::unnamed(error),
        };
        Self::refused(code, error).help(help)
    }
}

fn of_key_file(error: &FileError) -> Failure {
    let code = match error {
        FileError::OpenToOthers { .. } => "key_readable",
        FileError::Exists(_) => "key_exists",
        FileError::Missing(_) | FileError::Io { .. } => "key_unreadable",
        error => code_of(error),
    };
    Failure::refused(code, error).help(help_of(error))
}

impl From<RingError> for Failure {
    fn from(error: RingError) -> Self {
        if error.went_back() {
            return went_back(&error);
        }
        let help = match error {
            RingError::Database(error) => return error.into(),
            RingError::Source(error) => return error.into(),
            RingError::Roll(error) => return error.into(),
            RingError::Missing => "run `strongroom migrate up --yes`",
            RingError::WrongRoot { .. } => {
                "set `[keys]` to the source of the root that this database is under, or add it as `[keys.next]`"
            }
            RingError::Forged => {
                "compare table strongroom_manifest with a backup; whoever changed it can write to this database"
            }
            RingError::Newer(_) => "use the program that wrote it, or a newer one",
            RingError::BeforeRelease => {
                "with the program that sealed it, run `strongroom migrate down --to 1 --yes`; then `strongroom migrate up --yes` with this one"
            }
            RingError::Raced | RingError::KeyGone => "run the same command again",
            RingError::Damaged { .. } => "restore table strongroom_key from a backup",
            RingError::Older { .. }
            | RingError::Diverged { .. }
            | RingError::RingChanged { .. }
            | RingError::PhaseContradicts { .. } => "restore the newest database",
            RingError::Seal(_)
            | RingError::NoKey
            | RingError::NoConnection
            | RingError::NotShared
            | RingError::NoRandomness(_) => {
                return Self::new(Exit::Failed, "sealing", error)
                    .help("`strongroom keys verify` names what is damaged");
            }
            error => return Self::unnamed(error),
        };
        let code = match error {
            RingError::Missing => "ring_missing",
            RingError::WrongRoot { .. } => "wrong_key",
            RingError::Forged => "manifest_forged",
            RingError::Newer(_) => "database_newer",
            RingError::BeforeRelease => "before_release",
            RingError::Raced => return Self::new(Exit::Failed, "raced", error).help(help),
            RingError::KeyGone => return Self::new(Exit::Failed, "key_gone", error).help(help),
            _ => "key_damaged",
        };
        Self::refused(code, error).help(help)
    }
}

/// Names the command that accepts what the database has now, for a backup that was put back on purpose.
fn went_back(error: &RingError) -> Failure {
    let accept = |epoch: Epoch| {
        format!(
            "restore the newest database; if this copy was put back on purpose, `strongroom keys accept-epoch {epoch}` accepts it on this host"
        )
    };
    match error {
        RingError::Older { found, minimum, is_pinned: true } => Failure::refused("manifest_older", error).help(format!(
            "restore the newest database; if this copy was put back on purpose, set `keys.minimum_epoch` from {minimum} to {found} and run `strongroom keys accept-epoch {found}`"
        )),
        RingError::Older { found, .. } => Failure::refused("manifest_older", error).help(accept(*found)),
        RingError::Diverged { found, .. } => Failure::refused("ring_went_back", error).help(accept(*found)),
        RingError::RingChanged { epoch } => Failure::refused("ring_changed", error).help(accept(*epoch)),
        _ => Failure::refused("phase_contradicts", error)
            .help("restore table strongroom_manifest from the newest backup; `strongroom doctor` shows what else differs"),
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
                return Self::refused("key_in_use", error)
                    .help("`strongroom keys rotate` makes another generation active");
            }
            ManifestError::BoundOtherwise(_)
            | ManifestError::LabelTaken { .. }
            | ManifestError::Ours(_) => {
                return Self::refused("cannot_seal", error)
                    .help("the description of the table stands in the program's source");
            }
            ManifestError::NothingBefore(_) => "`strongroom keys status` lists the generations",
            ManifestError::Closed(_) => "`strongroom keys rotate` goes forward to a new one",
            ManifestError::RollingBack(_) => {
                "finish it with `strongroom keys rotate --back`, then rotate"
            }
            error => return Self::unnamed(error),
        };
        Self::refused("cannot_roll", error).help(help)
    }
}

/// A ring error inside a step's error cannot be moved out of it; what matters can be told again.
pub(super) fn ring_by_reference(error: &RingError) -> Failure {
    match error {
        RingError::Missing => RingError::Missing.into(),
        RingError::Forged => RingError::Forged.into(),
        RingError::WrongRoot { wanted, given } => {
            RingError::WrongRoot { wanted: wanted.clone(), given: given.clone() }.into()
        }
        RingError::Older { found, minimum, is_pinned } => {
            RingError::Older { found: *found, minimum: *minimum, is_pinned: *is_pinned }.into()
        }
        RingError::Diverged { found, seen } => {
            RingError::Diverged { found: *found, seen: *seen }.into()
        }
        RingError::RingChanged { epoch } => RingError::RingChanged { epoch: *epoch }.into(),
        RingError::PhaseContradicts { table, found } => {
            RingError::PhaseContradicts { table: table.clone(), found }.into()
        }
        RingError::Newer(what) => RingError::Newer(what.clone()).into(),
        RingError::BeforeRelease => RingError::BeforeRelease.into(),
        RingError::Raced => RingError::Raced.into(),
        RingError::KeyGone => RingError::KeyGone.into(),
        RingError::Damaged { id, purpose, reason } => {
            RingError::Damaged { id: *id, purpose, reason: *reason }.into()
        }
        RingError::Roll(error) => (*error).into(),
        RingError::Database(error) => error.clone().into(),
        RingError::Seal(_)
        | RingError::NoKey
        | RingError::NoConnection
        | RingError::NotShared
        | RingError::Source(_)
        | RingError::NoRandomness(_) => Failure::new(Exit::Failed, "sealing", error)
            .help("`strongroom keys verify` names what is damaged"),
        other => Failure::unnamed(other),
    }
}
