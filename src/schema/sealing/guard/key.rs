//! The guard by which a cell is stored only while its key is.
//!
//! A program holds keys in memory. After a failover that lost the commit of a key, or after a retired key was wiped, it would
//! continue to seal under a key that other programs cannot load. The database compares the cell's header with the ring's rows
//! instead, for each writer, in the statement that writes the cell.
//!
//! Promises: at the moment of the statement the ring has a data key with the cell's key id, and that key is not wiped.
//!
//! Does not promise: that the key is still there at the commit. Wiping a generation waits for a time of grace, and counts
//! the generation's cells again in the transaction that wipes.

use strongroom_entity::{SealedColumn, SealedTable};
use strongroom_migration::Engine;

use super::DmlEvent;
use crate::crypto::KEY_ID_OFFSET;
use crate::db::{ByDialect, Dialect};

/// Bytes of a key id, and their place in a cell from 1.
const LENGTH: usize = 4;
const FIRST: usize = KEY_ID_OFFSET + 1;

/// What is asked about one sealed column.
pub(in crate::schema::sealing) struct KeyCheck {
    /// Whether the statement writes a cell whose key is not looked up for another column.
    pub(in crate::schema::sealing) asked: String,
    /// The key's row, as what follows `FROM`.
    pub(in crate::schema::sealing) row: String,
}

impl KeyCheck {
    /// Returns the condition on which the statement is refused.
    pub(super) fn refuses(&self) -> String {
        format!("({} AND NOT EXISTS (SELECT 1 FROM {}))", self.asked, self.row)
    }
}

/// Returns a check for each sealed column. `ring` is the name of the table of keys.
pub(in crate::schema::sealing) fn checks(
    event: DmlEvent,
    table: &SealedTable,
    engine: Engine,
    ring: &str,
) -> Vec<KeyCheck> {
    let first = table.columns.first();
    let asked = |column: &SealedColumn| match first {
        // Most rows have one key, which is looked up once.
        Some(first) if first.sealed != column.sealed => format!(
            "{} AND NOT ({} AND {} {} {})",
            written(event, column, engine),
            written(event, first, engine),
            id_bytes(column, engine),
            Dialect::from(engine).is_same(),
            id_bytes(first, engine),
        ),
        _ => written(event, column, engine),
    };
    let row = |column: &SealedColumn| {
        let (id, wiped) = (id(column, engine), Dialect::from(engine).bytes_literal(&[]));
        format!("{ring} WHERE id = {id} AND purpose = 'data' AND wrapped <> {wiped}")
    };
    let columns = table.columns.iter();
    columns.map(|column| KeyCheck { asked: asked(column), row: row(column) }).collect()
}

/// Bytes of the shortest cell.
const SHORTEST: usize = 112;

/// The statement stores a cell in this column that was not there before.
fn written(event: DmlEvent, column: &SealedColumn, engine: Engine) -> String {
    let cell = engine.quoted(column.sealed);
    // What is too short for a cell is another guard's.
    let is_there = format!("length(new.{cell}) >= {SHORTEST}");
    match event {
        DmlEvent::Insert => is_there,
        DmlEvent::Update => {
            let same = Dialect::from(engine).is_same();
            format!("{is_there} AND NOT (new.{cell} {same} old.{cell})")
        }
    }
}

fn id_bytes(column: &SealedColumn, engine: Engine) -> String {
    Dialect::from(engine).bytes_from(
        &format!("new.{}", engine.quoted(column.sealed)),
        FIRST,
        LENGTH,
    )
}

/// The number that the header's bytes are. SQLite has no function for the value of a byte: it is the place of the byte among
/// all bytes, which costs half of what looking up hexadecimal digits does.
fn id(column: &SealedColumn, engine: Engine) -> String {
    let cell = format!("new.{}", engine.quoted(column.sealed));
    let bytes = id_bytes(column, engine);
    let by_byte = (0..LENGTH).map(|n| {
        let (place, shift) = (KEY_ID_OFFSET + n, 8 * (LENGTH - 1 - n));
        format!("(get_byte({cell}, {place})::bigint << {shift})")
    });
    let all: Vec<u8> = (0..=u8::MAX).collect();
    let all = Dialect::from(engine).bytes_literal(&all);
    let by_place = (0..LENGTH).map(|n| {
        let (place, weight) = (FIRST + n, 1_u64 << (8 * (LENGTH - 1 - n)));
        format!("(instr({all}, substr({cell}, {place}, 1)) - 1) * {weight}")
    });
    Dialect::from(engine).pick(ByDialect {
        postgres: by_byte.collect::<Vec<_>>().join(" | "),
        mysql: format!("CAST(conv(hex({bytes}), 16, 10) AS unsigned)"),
        sqlite: by_place.collect::<Vec<_>>().join(" + "),
    })
}
