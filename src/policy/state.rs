//! What a server holds about a database's components: accounts, their settings, memberships, views and grants.
//! Pure: inspection makes one of these, the policy makes another, and [`diff`](super::diff) compares them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

/// What an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Holds a component's rights; nobody logs in as it.
    Role,
    /// One of a component's two logins.
    Login,
}

/// What a privilege is on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Object {
    /// Everything on the server.
    Server,
    /// A database.
    Database(String),
    /// A schema within the database.
    Schema(String),
    /// A table or view.
    Table(String, String),
    /// A column of one.
    Column(String, String, String),
}

impl Object {
    /// The table that it is, or is part of: schema and name.
    pub fn table(&self) -> Option<(&str, &str)> {
        match self {
            Self::Table(schema, table) | Self::Column(schema, table, _) => Some((schema, table)),
            _ => None,
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server => f.write_str("the server"),
            Self::Database(name) => write!(f, "database {name}"),
            Self::Schema(name) => write!(f, "schema {name}"),
            Self::Table(schema, table) => write!(f, "{schema}.{table}"),
            Self::Column(schema, table, column) => write!(f, "{schema}.{table}.{column}"),
        }
    }
}

/// One privilege of one account on one thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Grant {
    /// The account.
    pub grantee: String,
    /// On what.
    pub object: Object,
    /// As in SQL; `GRANT OPTION` stands for the right to hand privileges on.
    pub privilege: String,
}

/// What a server holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct State {
    /// Accounts by name.
    pub accounts: BTreeMap<String, Kind>,
    /// Values by account and setting, each in one canonical form.
    #[serde(serialize_with = "as_pairs")]
    pub settings: BTreeMap<(String, String), String>,
    /// Role and member, and how the membership works: `USED` or words for what it is instead.
    #[serde(serialize_with = "as_pairs")]
    pub members: BTreeMap<(String, String), String>,
    /// Schemas that exist for views.
    pub schemas: BTreeSet<String>,
    /// The columns of views, by schema and name.
    #[serde(serialize_with = "as_pairs")]
    pub views: BTreeMap<(String, String), Vec<String>>,
    /// Privileges.
    pub grants: BTreeSet<Grant>,
}

/// A membership as it should be: in force at login, not to be handed on, not to be switched to.
pub(crate) const USED: &str = "used";
/// A membership that is there, and not in force yet.
pub(crate) const ADDED: &str = "not in force at login";
/// The setting that lets an account log in.
pub(crate) const ENABLED: &str = "enabled";

/// JSON has no keys but text.
fn as_pairs<K: Serialize, V: Serialize, S: serde::Serializer>(
    map: &BTreeMap<K, V>,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_seq(map)
}

/// One thing to do to a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Make a schema for views.
    CreateSchema(String),
    /// Drop it.
    DropSchema(String),
    /// Make a view, or give it other columns: schema, name, columns.
    PutView(String, String, Vec<String>),
    /// Drop it.
    DropView(String, String),
    /// Make an account that cannot log in.
    CreateAccount(String, Kind),
    /// Drop it.
    DropAccount(String, Kind),
    /// Set something about an account: account, setting, value.
    Set(String, String, String),
    /// Make an account a member of a role: role, member.
    AddMember(String, String),
    /// Make a membership one in force at login, and nothing else.
    UseMember(String, String),
    /// End that.
    DropMember(String, String),
    /// Give a privilege.
    Grant(Grant),
    /// Take it away.
    Revoke(Grant),
}

impl Change {
    /// Whether it lets somebody do more than before.
    pub fn widens(&self) -> bool {
        match self {
            Self::Grant(_) | Self::AddMember(..) | Self::UseMember(..) | Self::PutView(..) => true,
            Self::Set(_, setting, value) => setting == ENABLED && value == "true",
            _ => false,
        }
    }
}

impl State {
    /// What a server makes of a change. Dropping an account takes its privileges with it; a privilege on a whole
    /// table, when it is taken away, takes those on its columns along; dropping a view leaves privileges on its name.
    pub fn apply(&mut self, change: &Change) {
        match change.clone() {
            Change::CreateSchema(schema) => drop(self.schemas.insert(schema)),
            Change::DropSchema(schema) => {
                self.views.retain(|(of, _), _| *of != schema);
                self.schemas.remove(&schema);
            }
            Change::PutView(schema, table, columns) => {
                drop(self.views.insert((schema, table), columns));
            }
            Change::DropView(schema, table) => drop(self.views.remove(&(schema, table))),
            Change::CreateAccount(name, kind) => drop(self.accounts.insert(name, kind)),
            Change::DropAccount(name, _) => self.forget(&name),
            Change::Set(account, setting, value) => {
                drop(self.settings.insert((account, setting), value));
            }
            Change::AddMember(role, member) => {
                drop(self.members.insert((role, member), ADDED.to_owned()));
            }
            Change::UseMember(role, member) => {
                drop(self.members.insert((role, member), USED.to_owned()));
            }
            Change::DropMember(role, member) => drop(self.members.remove(&(role, member))),
            Change::Grant(grant) => drop(self.grants.insert(grant)),
            Change::Revoke(grant) => self.revoke(&grant),
        }
    }

    fn forget(&mut self, account: &str) {
        self.accounts.remove(account);
        self.settings.retain(|(of, _), _| of != account);
        self.members.retain(|(role, member), _| role != account && member != account);
        self.grants.retain(|grant| grant.grantee != account);
    }

    fn revoke(&mut self, gone: &Grant) {
        self.grants.remove(gone);
        if matches!(gone.object, Object::Table(..)) {
            let goes = |grant: &Grant| {
                grant.grantee == gone.grantee
                    && grant.privilege == gone.privilege
                    && grant.object.table() == gone.object.table()
            };
            self.grants.retain(|grant| !goes(grant));
        }
    }

    /// Whether a login may do something to a column, by whatever path: the grants that say so.
    pub fn paths(&self, login: &str, privilege: &str, column: &Object) -> Vec<&Grant> {
        let roles = self
            .members
            .keys()
            .filter(|(_, member)| member == login)
            .map(|(role, _)| role.as_str());
        let holders: BTreeSet<&str> = roles.chain([login]).collect();
        let covers = |grant: &&Grant| {
            holders.contains(grant.grantee.as_str())
                && (grant.privilege == privilege || grant.privilege == "ALL PRIVILEGES")
                && covers(&grant.object, column)
        };
        self.grants.iter().filter(covers).collect()
    }
}

fn covers(object: &Object, column: &Object) -> bool {
    match object {
        Object::Server => true,
        Object::Database(database) => column.table().is_some_and(|(schema, _)| schema == database),
        Object::Table(..) => object.table() == column.table(),
        Object::Column(..) => object == column,
        Object::Schema(_) => false,
    }
}
