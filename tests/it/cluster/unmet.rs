//! What a cluster should do and does not do yet. `tests/long unmet` runs these; they fail, and `make test-cluster` leaves them out.
//!
//! - Steps 5 and 6 lock tables of one node. Beside a writer on another node of Galera the whole cluster waits.
//! - A run whose server falls silent, with its connection open, waits for it without end.

mod galera;
mod silence;
