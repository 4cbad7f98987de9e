//! Whether the database went back behind what this host has seen, for commands that say so instead of refusing.

use sea_orm::DatabaseConnection;

use super::failure::Failure;
use super::session::Session;
use strongroom::internal::db;
use strongroom::internal::reseal;
use strongroom::key::{Epoch, EpochNotice, RingError};

/// Something about the manifest's epoch.
pub(super) struct EpochFinding {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) hint: String,
    /// Whether every other command refuses the database.
    pub(super) is_refusal: bool,
}

/// What is to be said of the configured database. Writes nothing.
pub(super) async fn findings(session: &Session, db: &DatabaseConnection) -> Vec<EpochFinding> {
    match look(session, db).await {
        Ok((notices, epoch)) => {
            notices.iter().map(|notice| noticed(notice, epoch)).chain(no_file(session)).collect()
        }
        Err(error) if error.went_back() => vec![refused(error)],
        // What else is wrong with the ring is told by whatever needs it.
        Err(_) => Vec::new(),
    }
}

/// The notices, and the epoch that the database has.
async fn look(
    session: &Session,
    db: &DatabaseConnection,
) -> Result<(Vec<EpochNotice>, Epoch), RingError> {
    let (Ok(floor), Ok(has_ring)) =
        (session.floor(), db::has_table(db, "strongroom_manifest").await)
    else {
        return Ok((Vec::new(), Epoch::NONE));
    };
    if !has_ring {
        return floor.judge_absent().map(|()| (Vec::new(), Epoch::NONE));
    }
    let Ok(roots) = session.roots().await else {
        return floor.judge_database(db, None).await.map(|_| (Vec::new(), Epoch::NONE));
    };
    let notices = floor.notices(db, &roots).await?;
    let Ok(Some(ring)) = session.ring_at_any_epoch(db).await else {
        return Ok((notices, Epoch::NONE));
    };
    if let Err(reseal::ResealError::Ring(error)) =
        reseal::refuse_contradiction(db, &ring.manifest()).await
    {
        return Err(error);
    }
    Ok((notices, ring.manifest().epoch))
}

fn refused(error: RingError) -> EpochFinding {
    let Failure { code, message, help, .. } = error.into();
    EpochFinding { code, message, hint: help.unwrap_or_default(), is_refusal: true }
}

fn noticed(notice: &EpochNotice, epoch: Epoch) -> EpochFinding {
    let newest = "make sure that this is the newest copy of the database";
    let (code, hint) = match notice {
        EpochNotice::UnknownDatabase(_) => {
            ("epoch_unknown", format!("{newest}; the next command remembers its epoch"))
        }
        EpochNotice::Unverified(_) => (
            "epoch_file_damaged",
            format!("{newest}, then run `strongroom keys accept-epoch {epoch}`"),
        ),
        EpochNotice::Unreadable(..) | EpochNotice::Unwritable(..) => (
            "epoch_file_unusable",
            "set `keys.epoch_file` to a regular file that this program may read and write"
                .to_owned(),
        ),
        EpochNotice::FarBehind { .. } => {
            ("epoch_far_behind", format!("{newest}; the next command remembers its epoch"))
        }
        _ => ("epoch_noticed", newest.to_owned()),
    };
    EpochFinding { code, message: notice.to_string(), hint, is_refusal: false }
}

fn no_file(session: &Session) -> Option<EpochFinding> {
    session.floor().ok().filter(|floor| floor.memory().is_none())?;
    Some(EpochFinding {
        code: "epoch_file_unset",
        message:
            "this host remembers no epochs: an older copy of the database would not be noticed"
                .to_owned(),
        hint: "set `keys.epoch_file`".to_owned(),
        is_refusal: false,
    })
}
