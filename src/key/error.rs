//! Why a ring cannot be used.

use sea_orm::DbErr;

use super::{Epoch, ManifestError, SourceError};
use crate::crypto::{NoRandomness, OpenError, SealError};
use crate::db::{Transient, is_transient};

/// Why a ring cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RingError {
    /// No manifest where one must be.
    #[error("the database has no key ring")]
    Missing,
    /// The root is another one than the ring's.
    #[error(
        "wrong key: the ring was made under root {wanted}, and the key source yields root {given}"
    )]
    WrongRoot {
        /// The root that the ring names.
        wanted: String,
        /// The root that was given.
        given: String,
    },
    /// The manifest was not written by a holder of the root.
    #[error(
        "the manifest does not verify: it was changed by something that does not hold the root key"
    )]
    Forged,
    /// The manifest is older than one that was seen, or than the configuration allows.
    #[error(
        "the manifest is at epoch {found}, older than epoch {minimum}: an old copy was put back"
    )]
    Older {
        /// The epoch in the database.
        found: Epoch,
        /// The least that is accepted.
        minimum: Epoch,
        /// Whether the configuration says so; otherwise this host, or this process, has seen that epoch.
        is_pinned: bool,
    },
    /// The manifest's epoch is not lower than one that was seen, and it does not descend from that one.
    #[error(
        "the manifest at epoch {found} does not descend from the one at epoch {seen} that was seen: the database lost its last changes, and others followed"
    )]
    Diverged {
        /// The epoch in the database.
        found: Epoch,
        /// The epoch that this host, or this process, has seen.
        seen: Epoch,
    },
    /// The database has another ring than the one that this host has seen under its address, or none.
    #[error("{}", ring_changed(*epoch))]
    RingChanged {
        /// The epoch that the database has now; 0 where it has no ring.
        epoch: Epoch,
    },
    /// The manifest says that plaintext counts, and the database says that it is sealed.
    #[error(
        "the manifest says that table `{table}` is in plaintext, and {found}: an old manifest was put back"
    )]
    PhaseContradicts {
        /// The table.
        table: String,
        /// What contradicts.
        found: &'static str,
    },
    /// The manifest speaks of things that this program does not know.
    #[error("the manifest was written by a newer program: {0}")]
    Newer(String),
    /// The manifest has the form of a version before the first release.
    #[error(
        "the database was sealed by a version of this program before 0.1.0, which no later version reads"
    )]
    BeforeRelease,
    /// Another program changed the manifest, or made keys, at the same moment.
    #[error("another program changed the ring at the same moment")]
    Raced,
    /// A key of the ring does not unwrap.
    #[error("key {id} ({purpose}) of the ring does not unwrap: {reason}")]
    Damaged {
        /// The key.
        id: i64,
        /// What it is for.
        purpose: &'static str,
        /// Why.
        reason: OpenError,
    },
    /// A value was not sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A key was not prepared for its scope.
    #[error("there is no data key for this row's scope yet")]
    NoKey,
    /// A new data key needs a connection beside that of the transaction, so that it is committed before its cells.
    #[error(
        "there is no data key for this row's scope yet, and the pool has no connection left to commit one on: \
         seal the row before the transaction begins, with `Draft::seal`, or allow the pool a second connection"
    )]
    NoConnection,
    /// A value was sealed under a key that the database does not have: it lost the commit of the key, or wiped the key.
    #[error(
        "the database does not have the key that a value was sealed under: it lost or wiped it"
    )]
    KeyGone,
    /// A column's key was asked of a share that does not have it.
    #[error("the policy gives this component no key for that column")]
    NotShared,
    /// See [`ManifestError`].
    #[error(transparent)]
    Roll(#[from] ManifestError),
    /// See [`SourceError`].
    #[error(transparent)]
    Source(#[from] SourceError),
    /// See [`NoRandomness`].
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// See [`DbErr`].
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl RingError {
    /// Whether the database went back behind what was seen of it.
    pub fn went_back(&self) -> bool {
        matches!(
            self,
            Self::Older { .. }
                | Self::Diverged { .. }
                | Self::RingChanged { .. }
                | Self::PhaseContradicts { .. }
        )
    }
}

impl Transient for RingError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) => is_transient(error),
            Self::Raced => true,
            _ => false,
        }
    }
}

fn ring_changed(epoch: Epoch) -> String {
    let now = if epoch == Epoch::NONE {
        "no key ring any more".to_owned()
    } else {
        format!("another key ring, at epoch {epoch}")
    };
    format!("the database has {now}; this host has seen a ring under this address")
}
