//! What a run of steps writes into this host's epoch file, before and after.

use std::sync::Arc;

use super::RING;
use super::plan::Planned;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use strongroom::internal::db::{self, DatabaseConnection};
use strongroom::key::{Epoch, EpochFloor, Roots};

/// A run's view of the epoch file.
pub(super) struct Epochs {
    floor: EpochFloor,
    roots: Option<Arc<Roots>>,
    /// Whether the run makes or drops the ring.
    changes_ring: bool,
}

impl Epochs {
    /// Writes the intention down where the run makes or drops the ring: a killed run then continues.
    pub(super) async fn begin(
        planned: &Planned,
        roots: Option<Arc<Roots>>,
        session: &Session,
        db: &DatabaseConnection,
    ) -> Result<Self, Failure> {
        let floor = session.floor()?;
        let changes_ring = planned.steps.iter().any(|(number, _)| *number == RING);
        if let Some(roots) = roots.as_ref().filter(|_| changes_ring) {
            let intended = if db::has_table(db, "strongroom_manifest").await? {
                floor.intend(db, roots).await?
            } else {
                floor.intend_first()
            };
            intended.map_err(|error| unwritable(&error))?;
        }
        Ok(Self { floor, roots, changes_ring })
    }

    /// Writes down what the database has now, whether or not the run succeeded. The epoch, where there is a ring.
    pub(super) async fn end(&self, session: &Session, db: &DatabaseConnection) -> Option<Epoch> {
        let settled = self.settle(db).await;
        if let Err(error) = settled {
            tracing::warn!(%error, "the epoch file was not brought up to date");
        }
        let ring = session.ring_at_any_epoch(db).await.ok().flatten();
        ring.map(|ring| ring.manifest().epoch)
    }

    async fn settle(&self, db: &DatabaseConnection) -> Result<(), strongroom::key::RingError> {
        let Some(roots) = &self.roots else { return Ok(()) };
        let has_ring = db::has_table(db, "strongroom_manifest").await?;
        match (self.changes_ring, has_ring) {
            (true, true) => self.floor.settle(db, roots).await,
            (true, false) => {
                self.floor.settle_absent();
                Ok(())
            }
            (false, true) => self.floor.remember(db, roots).await,
            (false, false) => Ok(()),
        }
    }
}

fn unwritable(error: &std::io::Error) -> Failure {
    Failure::new(Exit::Failed, "epoch_file", format!("the epoch file cannot be written: {error}"))
        .help("set `keys.epoch_file` to a path that this program may write")
}
