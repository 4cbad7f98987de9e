//! Pools that work as one component, and no more.

mod capacity;
mod component;
mod components;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod current_login;
mod login;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod login_pool;
#[cfg(feature = "mysql")]
mod mysql;
mod open;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg_attr(
    not(any(feature = "postgres", feature = "mysql")),
    expect(dead_code, reason = "SQLite has no logins to look at")
)]
mod rights;
mod rolling;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use capacity::Capacity;
pub use component::ComponentHandle;
pub use components::{Components, OwnLogin};
pub use login::{Credentials, try_login};
pub use rights::Refused;
