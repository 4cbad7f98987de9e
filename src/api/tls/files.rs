//! The files behind the settings, read together.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Setting, TlsError};
use strongroom::internal::file::{FileError, read_private, read_regular};

/// Revocation lists can be long; nothing else in a file of TLS is.
const LONGEST: u64 = 32 << 20;

/// Which files. Each may be a symbolic link, which is what certificate managers exchange.
#[derive(Debug, Clone)]
pub struct TlsSettings {
    /// `server.certificate`: the server's certificate and those between it and its root, in PEM.
    pub certificate: PathBuf,
    /// `server.private_key_file`: its key in PEM, which nobody but the owner may read.
    pub private_key_file: PathBuf,
    /// `server.client_ca`: the authorities that vouch for clients, in PEM.
    pub client_ca: PathBuf,
    /// `server.client_crl`: revocation lists in PEM, one at least for every authority that signs clients.
    pub client_crl: Option<PathBuf>,
}

impl TlsSettings {
    /// Returns what is wrong with each file that cannot be read.
    pub fn unreadable(&self) -> Vec<TlsError> {
        let needed = [
            (Setting::Certificate, &self.certificate),
            (Setting::PrivateKey, &self.private_key_file),
            (Setting::ClientCa, &self.client_ca),
        ];
        let all = needed
            .into_iter()
            .chain(self.client_crl.as_ref().map(|path| (Setting::ClientCrl, path)));
        all.filter_map(|(setting, path)| read(setting, path).map(Zeroizing::new).err()).collect()
    }
}

/// What the files hold.
pub(super) struct Files {
    pub(super) certificate: Vec<u8>,
    pub(super) private_key: Zeroizing<Vec<u8>>,
    pub(super) client_ca: Vec<u8>,
    pub(super) client_crl: Option<Vec<u8>>,
}

impl Files {
    pub(super) fn read(settings: &TlsSettings) -> Result<Self, TlsError> {
        let client_crl = settings.client_crl.as_ref();
        Ok(Self {
            certificate: read(Setting::Certificate, &settings.certificate)?,
            private_key: Zeroizing::new(read(Setting::PrivateKey, &settings.private_key_file)?),
            client_ca: read(Setting::ClientCa, &settings.client_ca)?,
            client_crl: client_crl.map(|path| read(Setting::ClientCrl, path)).transpose()?,
        })
    }

    /// The same only for the same contents. Times and sizes are not looked at: they can stay what they were.
    pub(super) fn digest(&self) -> [u8; 32] {
        let crl = self.client_crl.as_deref().unwrap_or_default();
        let mut all = Sha256::new();
        for part in [&self.certificate, self.private_key.as_slice(), &self.client_ca, crl] {
            all.update(Sha256::digest(part));
        }
        all.finalize().into()
    }
}

fn read(setting: Setting, path: &Path) -> Result<Vec<u8>, TlsError> {
    let read = match setting {
        Setting::PrivateKey => {
            read_private(path, None).map(|mut bytes| std::mem::take(&mut *bytes))
        }
        _ => read_regular(path, LONGEST),
    };
    read.map_err(|error| match error {
        FileError::OpenToOthers { path, mode } => TlsError::OpenToOthers { path, mode },
        FileError::TooLong { path, .. } => TlsError::TooLarge { setting, path },
        error => TlsError::Unreadable { setting, error },
    })
}
