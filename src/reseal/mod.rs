//! One engine that rewrites cells: plaintext to sealed, old key to new key, sealed to plaintext.
//!
//! Promises: a page is one compare-and-swap statement and its checkpoint in one fenced transaction,
//! so a crash loses and repeats nothing; a row that a program changed meanwhile is never overwritten;
//! a row that does not open is recorded and passed over; a run ends with a count of the cells
//! themselves, not with hope; no trigger of another program fires, and no column changes but the sealed ones.
//!
//! Does not promise: a consistent moment. Programs go on writing, and a cell they write under the old
//! key after the count stays readable and is moved by the next run.

mod changed;
mod checkpoint;
mod cluster;
mod contradiction;
mod count;
mod direction;
mod engine;
mod error;
mod events;
mod judged;
mod keyed_table;
mod left;
mod options;
mod packet;
mod page;
mod quarantine;
mod retire;
mod rewrap;
mod roll;
mod roll_plan;
mod row;
mod side_effect;
mod statement;
mod verify;
mod walk;

pub(crate) use contradiction::refuse_contradiction;
pub use error::ResealError;
pub use events::Events;
pub(crate) use keyed_table::{Change, KeyedTable, require_lock};
pub use options::{Event, Options, Stop};
pub(crate) use quarantine::forget_table as forget_quarantined_table;
pub use quarantine::{Bad, standing as quarantined};
pub use retire::{Retired, retire};
pub use rewrap::rewrap;
pub(crate) use roll::sealed_tables;
pub use roll::{RollReport, roll};
pub(crate) use side_effect::{foreign_triggers, trigger_condition};
pub use verify::{Verification, verify};

/// For the packages of this repository: see [`crate::internal`].
#[doc(hidden)]
pub mod internal {
    pub use super::cluster::is_cluster;
    pub use super::contradiction::refuse_contradiction;
    pub use super::count::{Census, GenerationCount, cells_of_key, census};
    pub use super::quarantine::{
        forget_older as forget_older_quarantine, forget_row as forget_quarantined_row,
        record as record_quarantine,
    };
    pub use super::roll::{counted_tables, sealed_tables};
    pub use super::roll_plan::plan_roll;
    pub use super::row::StoredRow;
    pub use super::verify::Extent;
}
