//! TLS as the service speaks it: 1.2 and 1.3, clients known by certificate, and everything exchanged while it runs.
//!
//! A client may come without a certificate, for health checks; one that shows a certificate must show a good one.
//! No session outlives its connection: there are no tickets, no session cache and no early data, so a client is
//! verified at every handshake, and [`Material::still_trusts`] asks again in between.

mod error;
mod files;
mod material;
mod reloading;

pub use self::error::{Setting, TlsError};
pub use self::files::TlsSettings;
pub use self::material::Material;
pub use self::reloading::Reloading;

#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;
