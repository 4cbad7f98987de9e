//! Strongroom.
pub mod crypto;
pub mod db;
pub mod key;
pub mod reseal;
pub mod schema;
pub mod credential;
