//! A root key in an environment variable: 32 random bytes in base64.
//!
//! Does not promise: secrecy from processes of the same user, who can read the environment.

use std::path::PathBuf;

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::source::parse;
use super::{KeySource, SourceError};
use crate::crypto::RootKey;

/// The key source `env`.
pub struct EnvironmentSource(String);

impl EnvironmentSource {
    /// The variable of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }
}

#[async_trait]
impl KeySource for EnvironmentSource {
    #[expect(
        clippy::disallowed_methods,
        reason = "the key is the one setting that must not pass through `config`"
    )]
    async fn root(&self) -> Result<RootKey, SourceError> {
        let what = format!("the environment variable {}", self.0);
        let Some(text) = std::env::var_os(&self.0) else {
            return Err(SourceError::Missing { what });
        };
        let text = text.into_string().map_err(|_| SourceError::Malformed {
            what: what.clone(),
            wanted: "it must be text",
        })?;
        parse(&Zeroizing::new(text), &what)
    }

    /// A program cannot change the environment that it was started in.
    async fn make_if_missing(&self) -> Result<bool, SourceError> {
        Ok(false)
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![("source", "env".to_owned()), ("env", self.0.clone())]
    }

    fn file(&self) -> Option<PathBuf> {
        None
    }
}
