//! What the checks find out, for presentations that show more than what is wrong.

use sea_orm::EntityTrait as _;
use strongroom::entity::audit_head;
use strongroom::migration::Phase;

use strongroom::internal::db::{self, DatabaseConnection};
use strongroom::internal::reseal::{Census, GenerationCount};
use strongroom::key::Manifest;
use strongroom::schema::Status;

/// Everything is absent that could not be read.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) status: Option<Status>,
    pub(crate) counted: Option<Counted>,
    pub(crate) quarantined: Option<u64>,
    /// The number and the code of the last audit row.
    pub(crate) audit: Option<(i64, String)>,
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
pub(crate) struct Counted {
    pub(crate) phase: Phase,
    pub(crate) cells: Census,
    /// Empty without a ring, and without its root.
    pub(crate) generations: Vec<GenerationCount>,
    pub(crate) manifest: Option<Manifest>,
    pub(crate) is_verified: bool,
}
