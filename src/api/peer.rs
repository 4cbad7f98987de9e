//! Who is at the other end of a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_rustls::rustls::pki_types::CertificateDer;

use super::identity::{Identities, Identity};
use super::refusal::Refusal;
use super::tls::Reloading;

/// A connection's caller, worked out once.
#[derive(Clone)]
pub(super) struct Peer(Arc<Inner>);

enum Inner {
    /// A certificate that verified at the handshake.
    Certified {
        chain: Vec<CertificateDer<'static>>,
        who: Result<Identity, (&'static str, String)>,
        tls: Arc<Reloading>,
        seen: AtomicU64,
    },
    /// TLS without a certificate, or plain HTTP with nobody configured.
    Nobody,
    /// Plain HTTP, where every caller is this component.
    Plain(Identity),
}

impl Peer {
    pub(super) fn certified(
        chain: Vec<CertificateDer<'static>>,
        identities: &Identities,
        tls: Arc<Reloading>,
        generation: u64,
    ) -> Self {
        let leaf = chain.first().map(AsRef::as_ref).unwrap_or_default();
        let who = identities.component(leaf).map_err(|reason| (reason.code(), reason.to_string()));
        if let Err((code, reason)) = &who {
            tracing::warn!(code, reason, "a client certificate names no component");
        }
        Self(Arc::new(Inner::Certified { chain, who, tls, seen: AtomicU64::new(generation) }))
    }

    pub(super) fn nobody() -> Self {
        Self(Arc::new(Inner::Nobody))
    }

    pub(super) fn plain(component: &str) -> Self {
        Self(Arc::new(Inner::Plain(Identity { component: component.to_owned(), id: "plain http".to_owned() })))
    }

    /// Who it is, asked at every request: what is trusted may have changed since the handshake.
    pub(super) fn identity(&self) -> Result<&Identity, Refusal> {
        match &*self.0 {
            Inner::Nobody => {
                Err(Refusal::identity("no_certificate", "a client certificate is needed, and none was given".to_owned()))
            }
            Inner::Plain(identity) => Ok(identity),
            Inner::Certified { chain, who, tls, seen } => {
                let now = tls.current();
                if seen.load(Ordering::Acquire) != now.generation {
                    if !now.still_trusts(chain) {
                        let detail =
                            "the client certificate is not trusted any more: it was revoked, has expired, or its authority went";
                        return Err(Refusal::identity("untrusted_certificate", detail.to_owned()));
                    }
                    seen.store(now.generation, Ordering::Release);
                }
                who.as_ref().map_err(|(code, reason)| Refusal::identity(code, reason.clone()))
            }
        }
    }

    /// Whether there is anything to write down about a caller that is refused.
    pub(super) fn is_certified(&self) -> bool {
        matches!(&*self.0, Inner::Certified { .. })
    }
}
