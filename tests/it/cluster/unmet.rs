//! What a cluster should do and does not do yet. `tests/long unmet` runs these; they fail, and `make test-cluster` leaves them out.
//!
//! - Steps 5 and 6 lock tables of one node. Beside a writer on another node of Galera the whole cluster waits.
//! - A key that a program makes at the very moment of a rewrap stays under the root before. The end of the rewrap wraps it, and a
//!   failover may lose that end: the key opens under the root before alone, until the rewrap is run again.
//! - A run whose server falls silent, with its connection open, waits for it without end.

mod galera;
mod rewraps;
mod silence;
