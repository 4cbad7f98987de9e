//! One engine that rewrites cells: plaintext to sealed, old key to new key, sealed to plaintext.
//!
//! Promises: a page is one compare-and-swap statement and its checkpoint in one fenced transaction,
//! so a crash loses and repeats nothing; a row that a program changed meanwhile is never overwritten;
//! a row that does not open is recorded and passed over; a run ends with a count of the cells
//! themselves, not with hope; no trigger of another program fires, and no column changes but the sealed ones.
//!
//! Does not promise: a consistent moment. Programs go on writing, and a cell they write under the old
//! key after the count stays readable and is moved by the next run.

mod checkpoint;
mod contradiction;
#[cfg_attr(
    not(feature = "cli"),
    expect(dead_code, reason = "the program counts for `keys status`")
)]
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
#[cfg(feature = "cli")]
mod roll_plan;
#[cfg(feature = "cli")]
mod row;
mod side_effect;
mod statement;
mod verify;
mod walk;

pub(crate) use contradiction::refuse_contradiction;
#[cfg(feature = "cli")]
pub(crate) use count::cells_of_key;
#[cfg(feature = "cli")]
pub(crate) use count::{Census, GenerationCount, census};
pub use error::ResealError;
pub use events::Events;
pub(crate) use keyed_table::{KeyedTable, require_lock};
pub use options::{Event, Options, Stop};
#[cfg(feature = "cli")]
pub(crate) use quarantine::forget_row as forget_quarantined_row;
pub(crate) use quarantine::forget_table as forget_quarantined_table;
pub use quarantine::{Bad, standing as quarantined};
#[cfg(feature = "cli")]
pub(crate) use quarantine::{forget_older as forget_older_quarantine, record as record_quarantine};
pub use retire::{Retired, retire};
pub use rewrap::rewrap;
#[cfg(feature = "cli")]
pub(crate) use roll::counted_tables;
pub(crate) use roll::sealed_tables;
pub use roll::{RollReport, roll};
#[cfg(feature = "cli")]
pub(crate) use roll_plan::plan_roll;
#[cfg(feature = "cli")]
pub(crate) use row::StoredRow;
pub(crate) use side_effect::{foreign_triggers, trigger_condition};
#[cfg(feature = "cli")]
pub(crate) use verify::Extent;
pub use verify::{Verification, verify};
