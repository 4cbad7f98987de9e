//! What a connection is for, and the way that it takes.

use super::Peer;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading only; the server refuses everything else. A missing SQLite file reads as empty.
    Read,
    /// Reading and writing rows.
    Write,
    /// Reading and writing rows in somebody else's database: no setting of it is changed.
    Guest,
    /// Changing the schema. SQLite's foreign keys are off, as making a table anew demands.
    Schema,
}

/// The way to a server, as its address and the demands on TLS set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// Where the server is.
    pub peer: Peer,
    /// Whether nobody but the server itself can be at the other end.
    pub is_verified: bool,
}
