//! Strongroom.
pub mod crypto;
