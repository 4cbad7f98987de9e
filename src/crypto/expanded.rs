//! The 64 bytes that a key is expanded to for one cell. Both paths return them.

use super::wiped::Wiped;

/// The longest info in bytes; a label that needs more does not compile. `fast` has the reason for the number.
pub(super) const LONGEST_INFO: usize = 86;

/// The 64 output bytes, as two halves.
pub(super) struct Expanded {
    pub(super) first: Wiped<u8, 32>,
    pub(super) second: Wiped<u8, 32>,
}
