//! What the checks find out, for presentations that show more than what is wrong.

use sea_orm::EntityTrait as _;
use strongroom_entity::audit_head;
use strongroom_migration::Phase;

use crate::db::{self, DatabaseConnection};
use crate::key::Manifest;
use crate::reseal::{Census, GenerationCount};
use crate::schema::Status;

/// Everything is absent that could not be read.
#[derive(Default)]
pub(in crate::cli) struct Facts {
    pub(in crate::cli) status: Option<Status>,
    pub(in crate::cli) counted: Option<Counted>,
    pub(in crate::cli) quarantined: Option<u64>,
    /// The number and the code of the last audit row.
    pub(in crate::cli) audit: Option<(i64, String)>,
}

impl Facts {
    pub(super) async fn read_audit(&mut self, db: &DatabaseConnection) {
        // A database before that step has no such table; a login may be without a right to it.
        if db::has_table(db, "strongroom_audit_head").await.unwrap_or(false) {
            let head = audit_head::Entity::find_by_id(1_i16).one(db).await.ok().flatten();
            self.audit = head.map(|head| (head.number, hex::encode(head.mac)));
        }
    }
}

/// The cells, counted.
pub(in crate::cli) struct Counted {
    pub(in crate::cli) phase: Phase,
    pub(in crate::cli) cells: Census,
    /// Empty without a ring, and without its root.
    pub(in crate::cli) generations: Vec<GenerationCount>,
    pub(in crate::cli) manifest: Option<Manifest>,
    pub(in crate::cli) is_verified: bool,
}
