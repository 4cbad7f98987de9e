//! What to type when a run ended early.

use super::Failure;
use super::keys::ring_by_reference;
use crate::exit::Exit;
use crate::typed;
use strongroom::internal::db::{LockError, unwrapped};
use strongroom::reseal::ResealError;
use strongroom::schema::{SchemaError, Unfit};

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Database(error) => error.into(),
            LockError::Held { .. } => Self::new(Exit::Locked, "locked", error)
                .help("wait for it to finish; `strongroom migrate status` shows who it is, and how to take the lock from one that hangs"),
            LockError::Stuck { ref id, .. } => {
                let help = format!("if no such run is alive: `strongroom migrate unlock --yes --holder {}`", typed::quoted(id));
                Self::new(Exit::Locked, "lock_stuck", error).help(help)
            }
            LockError::Lost => {
                Self::new(Exit::Locked, "lock_lost", error).help("nothing was written after that; the same command again goes on")
            }
            error => Self::unnamed(error),
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
        ResealError::RowTooLarge { .. } => Failure::refused("packet_too_small", error)
            .help("run `SET GLOBAL max_allowed_packet = 67108864` on the server, then the same command again"),
        ResealError::UnknownPhase => {
            Failure::refused("database_newer", error).help("use the program that wrote it, or a newer one")
        }
        ResealError::Triggers { .. } => {
            Failure::refused("triggers", error).help("change the triggers that the message names, and run the same command again")
        }
        ResealError::NoRing => Failure::refused("ring_missing", error).help("run `strongroom migrate up --yes`"),
        ResealError::LeftBehind { .. } => Failure::new(Exit::Left, "left_behind", error)
            .help("`strongroom keys quarantine list` names them: shorten or remove them, then run the same command again"),
        ResealError::StillInUse { .. } => Failure::refused("key_in_use", error)
            .help("`strongroom keys rotate` moves every cell that opens; `strongroom keys quarantine list` names the others"),
        ResealError::WrongPhase { .. } => {
            Failure::refused("wrong_phase", error).help("compare tables strongroom_history and strongroom_manifest with a backup")
        }
        ResealError::NoHeadway { .. } | ResealError::NoRoot | ResealError::Dropped => {
            Failure::new(Exit::Failed, "reseal", error).help("the same command again goes on")
        }
        error => Failure::unnamed(error),
    }
}

impl From<Unfit> for Failure {
    fn from(error: Unfit) -> Self {
        SchemaError::from(error).into()
    }
}

impl From<SchemaError> for Failure {
    fn from(error: SchemaError) -> Self {
        if let Some(reseal) = error.reseal() {
            return named(
                match reseal {
                    ResealError::Ring(ring) => ring_by_reference(ring),
                    ResealError::Database(error) => error.clone().into(),
                    ResealError::Lock(error) => error.again().into(),
                    other => from_reseal(other),
                },
                &error,
            );
        }
        if error.unsealable().is_some() {
            return Self::refused("unsealable", error)
                .help("change what is named, and run the same command again");
        }
        if let Some(grants) = error.database().and_then(unwrapped) {
            return named(super::policy::by_reference(grants), &error);
        }
        match error {
            SchemaError::Database(error) | SchemaError::Unfit(Unfit::Database(error)) => error.into(),
            SchemaError::Lock(error) => error.into(),
            SchemaError::Interrupted { .. } => {
                Self::new(Exit::Interrupted, "interrupted", error).help("the same command again goes on")
            }
            SchemaError::Unknown(_) => {
                Self::new(Exit::Usage, "unknown_migration", error).help("`strongroom migrate status` lists them")
            }
            SchemaError::ForeignTable(_) => Self::refused("foreign_table", error).help(
                "`strongroom migrate adopt --dry-run` shows whether it can be taken over; or use another database or schema",
            ),
            SchemaError::AlteredAdoption => {
                Self::refused("adoption_altered", error).help("restore table strongroom_adoption from a backup")
            }
            SchemaError::Unfit(Unfit::NoTable(_)) => {
                Self::new(Exit::Failed, "no_table", error).help("name the table in the configuration, under [adopt]")
            }
            SchemaError::Unfit(Unfit::Obstacles { .. }) => Self::refused("unfit_table", error)
                .help("nothing was changed: remove or change what is named, and run `strongroom migrate adopt --dry-run` again"),
            SchemaError::Unfit(_) => {
                Self::refused("unfit_table", error).help("[adopt.columns] in the configuration says which column is which")
            }
            SchemaError::Newer { .. } => {
                Self::refused("database_newer", error).help("use the program version that migrated it, or a newer one")
            }
            SchemaError::Edited { .. } => Self::refused("checksum", error)
                .help("use the program version that applied it; databases that a version before 0.1.0 sealed are not supported"),
            SchemaError::Step { ref source, .. } => {
                let failure: Self = source.clone().into();
                named(failure, &error)
            }
            error => Self::unnamed(error),
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
