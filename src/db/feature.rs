//! Engines that this build is without.

use sea_orm::{DbBackend, DbErr};

/// The feature of this crate that an engine is behind, and whether it is on.
pub(super) const fn feature(engine: DbBackend) -> (&'static str, bool) {
    match engine {
        DbBackend::Postgres => ("postgres", cfg!(feature = "postgres")),
        DbBackend::MySql => ("mysql", cfg!(feature = "mysql")),
        _ => ("sqlite", cfg!(feature = "sqlite")),
    }
}

/// For what [`Address::parse`](super::Address::parse) does not let through.
pub(crate) fn not_built(engine: DbBackend) -> DbErr {
    DbErr::Custom(format!("this build is without strongroom's feature `{}`", feature(engine).0))
}
