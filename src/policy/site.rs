//! The database that a policy is for, with the keys that its policies and logins need.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sea_orm::ConnectionTrait;

use super::builtin::{NEWEST, builtin};
use super::inspect::{catalog, target};
use super::model::Catalog;
use super::names::Names;
use super::nodes::NodeAddresses;
use super::resolve::resolve;
use super::source::Source;
use super::support::require_support;
use super::wanted::Target;
use super::{ComponentKeys, GrantError, Policy};
use crate::crypto::DatabasePassword;
use crate::key::{PolicyKeys, RingAccess, RingError, database_password};

/// What an operator sets for policies.
#[derive(Clone, Default)]
pub struct PolicyOptions {
    /// The accounts' prefix, in place of one made from the ring's id.
    pub names: Option<Names>,
    /// The operator's own policy file: its name and its text.
    pub own: Option<(String, String)>,
    /// Files with the next passwords of components, where the operator's own tools make them.
    pub password_files: BTreeMap<String, PathBuf>,
    /// The keys that packages register under `[component.NAME]`.
    pub keys: ComponentKeys,
    /// How to reach the nodes of a cluster, on each of which sessions are ended.
    pub nodes: NodeAddresses,
}

impl PolicyOptions {
    /// Returns the policy of a version, with the operator's own file, for the tables of `catalog`. Version 0 is the own file
    /// alone.
    pub fn policy(&self, version: u32, catalog: &Catalog) -> Result<Policy, GrantError> {
        let builtin = match builtin(version) {
            Some(text) => {
                Some(Source::parse(&format!("sql/policy/{version:04}.toml"), text, &self.keys)?)
            }
            None => None,
        };
        let own = self
            .own
            .as_ref()
            .map(|(name, text)| Source::parse(name, text, &self.keys))
            .transpose()?;
        Ok(resolve(builtin.as_ref(), own.as_ref(), catalog)?)
    }

    /// A component's next password: made here, unless there is a file for it.
    pub(crate) fn password(&self, component: &str) -> Result<DatabasePassword, GrantError> {
        Ok(match self.password_files.get(component) {
            Some(file) => database_password(file)?,
            None => DatabasePassword::make().map_err(RingError::from)?,
        })
    }

    /// The newest compiled-in policy, with the operator's own file.
    #[doc(hidden)]
    pub fn newest(&self, catalog: &Catalog) -> Result<Policy, GrantError> {
        self.policy(NEWEST, catalog)
    }
}

/// A database, its keys and its names.
pub struct Site {
    /// Where a policy is to hold.
    pub target: Target,
    /// What its policies and logins need of the ring.
    pub keys: PolicyKeys,
    /// The tables that are there.
    pub catalog: Catalog,
    /// What was brought along.
    pub options: PolicyOptions,
}

impl Site {
    /// Looks, and refuses a server that cannot hold programs to columns.
    pub async fn load(
        db: &impl ConnectionTrait,
        access: impl Into<RingAccess>,
        options: &PolicyOptions,
    ) -> Result<Self, GrantError> {
        let keys = PolicyKeys::load(db, access).await?;
        let names = options.names.clone().unwrap_or_else(|| Names::of_ring(keys.ring()));
        let target = target(db, names).await?;
        require_support(db, target.engine).await?;
        let catalog = catalog(db, target.engine).await?;
        Ok(Self { target, keys, catalog, options: options.clone() })
    }

    /// Whether the server has accounts at all.
    pub fn has_accounts(&self) -> bool {
        self.target.engine.has_logins()
    }
}
