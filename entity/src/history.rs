//! What was done to the database: schema steps and key rolls, in one timeline.

use sea_orm::entity::prelude::*;

/// One thing that was begun, and when finished.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "strongroom_history")]
pub struct Model {
    /// The place in the timeline.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// A schema step's number, in the list of its own program; none for key rolls.
    pub number: Option<i32>,
    /// A schema step's name, or what was rolled; `program/step` for a host program's.
    pub name: String,
    /// `schema`, `host`, `roll`, `policy`, `login`, `rewrap` or `retire`.
    pub kind: String,
    /// `up` or `down`; `adopted` for a host's step that another runner had applied.
    pub direction: String,
    /// Over the step's SQL on this engine.
    pub checksum: Option<String>,
    /// By the database's clock.
    pub started_at: ChronoDateTimeUtc,
    /// None: begun and not finished.
    pub finished_at: Option<ChronoDateTimeUtc>,
    /// Who held the run lock.
    pub holder: String,
    /// Under which fencing token.
    pub token: i64,
}

/// History stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
