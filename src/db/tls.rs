//! How a connection to a server is encrypted.
//!
//! Off loopback, TLS is required and verified: the certificate's chain and the host's name. An
//! address cannot talk itself out of it; only [`Tls::allow_insecure`] can, and it is loud.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::file::{FileError, read_regular};

/// The system's own bundle of authorities has a quarter of a megabyte.
const LONGEST: u64 = 8 << 20;

/// What is asked of a connection's encryption. The default trusts the public authorities alone.
#[derive(Clone, Default)]
pub struct Tls {
    authorities: Option<Arc<[u8]>>,
    allow_insecure: bool,
}

/// A file of certificate authorities cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// Cannot be read.
    #[error("the certificate authorities cannot be read: {0}")]
    Unreadable(FileError),
    /// Not PEM, without a certificate, or with a broken one.
    #[error("{} holds no usable certificate in PEM", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
    },
}

impl Tls {
    /// Trusts the authorities in a PEM file beside the public ones, and verifies on loopback too.
    pub fn with_ca_file(mut self, path: &Path) -> Result<Self, TlsError> {
        let pem = read_regular(path, LONGEST).map_err(TlsError::Unreadable)?;
        if !is_usable(&pem) {
            return Err(TlsError::NotPem { path: path.to_owned() });
        }
        self.authorities = Some(pem.into());
        Ok(self)
    }

    /// Lets an address off loopback give up TLS or its verification. Where neither the address nor
    /// an authority says anything, the server's certificate is then not verified.
    #[must_use]
    pub fn allow_insecure(mut self) -> Self {
        self.allow_insecure = true;
        self
    }

    /// The authorities, in PEM.
    pub(super) fn authorities(&self) -> Option<Vec<u8>> {
        self.authorities.as_deref().map(<[u8]>::to_vec)
    }

    /// What to ask of the driver; nothing where its own default will do.
    pub(super) fn mode(
        &self,
        peer: Peer,
        asked: Option<RequestedTls>,
    ) -> Result<Option<Mode>, InsecureAddress> {
        let required = match peer {
            Peer::Socket => false,
            Peer::Loopback => self.authorities.is_some(),
            Peer::Remote => true,
        };
        match asked {
            Some(asked) if !required || asked.mode == Mode::Verified || self.allow_insecure => {
                Ok(Some(asked.mode))
            }
            Some(asked) => Err(InsecureAddress { asked: asked.word, remote: peer == Peer::Remote }),
            None if !required => Ok(None),
            None if self.allow_insecure && self.authorities.is_none() => {
                Ok(Some(Mode::Opportunistic))
            }
            None => Ok(Some(Mode::Verified)),
        }
    }
}

/// Every certificate in the text must be one that an authority can have, and there must be one.
fn is_usable(pem: &[u8]) -> bool {
    let mut store = RootCertStore::empty();
    CertificateDer::pem_slice_iter(pem)
        .all(|read| read.is_ok_and(|certificate| store.add(certificate).is_ok()))
        && !store.is_empty()
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Tls(authorities: {}, allow_insecure: {})",
            self.authorities.is_some(),
            self.allow_insecure
        )
    }
}

/// Where the server is, as seen from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A Unix socket: nobody in between.
    Socket,
    /// This machine.
    Loopback,
    /// Anywhere else.
    Remote,
}

/// How much of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// None.
    Off,
    /// If the server offers it, whoever that is.
    Opportunistic,
    /// With whoever answers.
    Unverified,
    /// With any host that an authority vouches for.
    AnyHost,
    /// With this host, vouched for by an authority.
    Verified,
}

/// What an address asks for, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestedTls {
    pub(super) mode: Mode,
    word: String,
}

impl RequestedTls {
    /// Reads the value of `sslmode` or `ssl-mode`; the words of either engine are taken for both.
    pub(super) fn parse(name: &str, value: &str) -> Option<Self> {
        let mode = match value.to_ascii_lowercase().replace('_', "-").as_str() {
            "disable" | "disabled" => Mode::Off,
            "allow" | "prefer" | "preferred" => Mode::Opportunistic,
            "require" | "required" => Mode::Unverified,
            "verify-ca" => Mode::AnyHost,
            "verify-full" | "verify-identity" => Mode::Verified,
            _ => return None,
        };
        Some(Self { mode, word: format!("{name}={value}") })
    }
}

/// An address gives up TLS or its verification where they are required.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "the database's address sets `{asked}`, but TLS with a verified certificate is required {}",
    if *remote { "off loopback" } else { "once a certificate authority is set" }
)]
pub struct InsecureAddress {
    asked: String,
    remote: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(tls: &Tls, peer: Peer, asked: Option<&str>) -> Result<Option<Mode>, ()> {
        tls.mode(peer, asked.map(|word| RequestedTls::parse("sslmode", word).unwrap()))
            .map_err(drop)
    }

    #[test]
    fn off_loopback_every_word_but_the_strongest_is_refused() {
        let plain = Tls::default();
        for word in [
            "disable",
            "DISABLED",
            "allow",
            "prefer",
            "preferred",
            "require",
            "required",
            "verify-ca",
            "verify_ca",
        ] {
            assert_eq!(mode(&plain, Peer::Remote, Some(word)), Err(()), "{word}");
            assert!(mode(&plain, Peer::Loopback, Some(word)).is_ok(), "{word}");
        }
        for asked in [None, Some("verify-full"), Some("VERIFY_IDENTITY")] {
            assert_eq!(mode(&plain, Peer::Remote, asked), Ok(Some(Mode::Verified)), "{asked:?}");
        }
        assert_eq!(mode(&plain, Peer::Loopback, None), Ok(None));
    }

    #[test]
    fn an_authority_asks_for_verification_on_loopback_too() {
        let private = Tls { authorities: Some(Arc::from(*b"an authority")), allow_insecure: false };
        assert_eq!(mode(&private, Peer::Loopback, None), Ok(Some(Mode::Verified)));
        assert_eq!(mode(&private, Peer::Loopback, Some("prefer")), Err(()));
        assert_eq!(mode(&private, Peer::Socket, None), Ok(None));
        assert_eq!(mode(&private.allow_insecure(), Peer::Remote, None), Ok(Some(Mode::Verified)));
    }

    #[test]
    fn the_loud_flag_lets_the_address_choose() {
        let loud = Tls::default().allow_insecure();
        assert_eq!(mode(&loud, Peer::Remote, Some("disable")), Ok(Some(Mode::Off)));
        assert_eq!(mode(&loud, Peer::Remote, Some("verify-full")), Ok(Some(Mode::Verified)));
        assert_eq!(mode(&loud, Peer::Remote, None), Ok(Some(Mode::Opportunistic)));
    }
}
