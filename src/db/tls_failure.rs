//! Why TLS to a server failed, out of a driver's error.

use rustls::CertificateError;
use sea_orm::DbErr;

use super::cause::{Cause, cause};

/// Why TLS to a server failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFailure {
    /// No authority that is trusted here vouches for the certificate.
    #[error("its certificate is not signed by an authority that is trusted here")]
    Untrusted,
    /// The certificate is another host's.
    #[error("its certificate is for another host name")]
    WrongHost,
    /// The certificate is too old, or too new by this host's clock.
    #[error("its certificate is not valid at this time")]
    OutOfTime,
    /// The server speaks plaintext only.
    #[error("it offers no TLS")]
    NotOffered,
    /// Whatever else can go wrong.
    #[error("{0}")]
    Other(String),
}

/// The TLS failure inside an error of [`connect`](super::connect()), if that is what it is.
pub fn tls_failure(error: &DbErr) -> Option<TlsFailure> {
    match cause(error)? {
        // The only error that the drivers make themselves, for both engines; the rest comes from rustls.
        Cause::Tls(cause) if cause.to_string() == "server does not support TLS" => {
            Some(TlsFailure::NotOffered)
        }
        Cause::Tls(cause) => {
            Some(cause.downcast_ref().map_or_else(|| TlsFailure::Other(cause.to_string()), of))
        }
        Cause::Io(error) => error.get_ref()?.downcast_ref().map(of),
        _ => None,
    }
}

fn of(error: &rustls::Error) -> TlsFailure {
    let rustls::Error::InvalidCertificate(reason) = error else {
        return TlsFailure::Other(error.to_string());
    };
    match reason {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TlsFailure::WrongHost
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => TlsFailure::OutOfTime,
        // An authority of the same name with another key gives the second.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsFailure::Untrusted,
        other => TlsFailure::Other(other.to_string()),
    }
}
