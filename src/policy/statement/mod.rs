//! Changes as SQL. Pure, but for the passwords that are handed in.

mod mysql;
mod postgres;
mod verifier;

pub(super) use postgres::WITH_OPTIONS;
pub(crate) use verifier::password_verifier;

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use strongroom_migration::Engine;

use super::diff::DEFAULT;
use super::state::{Change, Grant, Object, State};
use super::wanted::Target;

/// What an account's password is set to, as the engine's SQL takes it; by account.
pub(crate) type Verifiers = BTreeMap<String, SecretString>;

/// One statement, with its way back.
#[derive(Debug, Serialize)]
pub struct Statement {
    /// The SQL, with `'…'` for a password.
    pub sql: String,
    /// What undoes it.
    pub inverse: String,
    /// Whether it lets somebody do more than before.
    pub widens: bool,
    #[serde(skip)]
    secret: Option<SecretString>,
}

/// Stands for a password in what is shown.
const HIDDEN: &str = "'…'";

impl Statement {
    /// The SQL as it is sent.
    pub fn exposed(&self) -> String {
        match &self.secret {
            Some(secret) => self.sql.replace(HIDDEN, &format!("'{}'", secret.expose_secret())),
            None => self.sql.clone(),
        }
    }
}

/// The statements that make these changes to a server in state `now`. Grants to one account on one table become one
/// statement.
pub(crate) fn statements(
    target: &Target,
    now: &State,
    changes: &[Change],
    verifiers: &Verifiers,
) -> Vec<Statement> {
    let mut at = now.clone();
    let mut out = Vec::new();
    for group in changes.chunk_by(belong_together) {
        let inverses: Vec<Change> =
            group.iter().rev().filter_map(|change| inverse(change, &at)).collect();
        let inverse = sql(target, &inverses).join("; ");
        let secret = group.iter().find_map(|change| verifier(change, verifiers));
        for sql in sql(target, group) {
            let widens = group.iter().any(Change::widens);
            out.push(Statement { sql, inverse: inverse.clone(), widens, secret: secret.cloned() });
        }
        for change in group {
            at.apply(change);
        }
    }
    out
}

/// The statement that takes one grant away.
pub(super) fn revocation(target: &Target, grant: Grant) -> String {
    sql(target, &[Change::Revoke(grant)]).join("; ")
}

fn verifier<'a>(change: &Change, verifiers: &'a Verifiers) -> Option<&'a SecretString> {
    match change {
        Change::Set(account, ..) | Change::CreateAccount(account, _) => verifiers.get(account),
        _ => None,
    }
}

/// Grants, or revocations, of one account on one table; what makes up a right to hand privileges on stands alone.
fn belong_together(left: &Change, right: &Change) -> bool {
    let alike = |left: &Grant, right: &Grant| {
        left.grantee == right.grantee
            && left.object.table().is_some()
            && left.object.table() == right.object.table()
            && !left.privilege.starts_with("GRANT OPTION")
            && !right.privilege.starts_with("GRANT OPTION")
    };
    match (left, right) {
        (Change::Grant(left), Change::Grant(right))
        | (Change::Revoke(left), Change::Revoke(right)) => alike(left, right),
        _ => false,
    }
}

/// What undoes a change to a server in state `at`; none for one that changes nothing.
fn inverse(change: &Change, at: &State) -> Option<Change> {
    Some(match change.clone() {
        Change::CreateSchema(schema) => Change::DropSchema(schema),
        Change::DropSchema(schema) => Change::CreateSchema(schema),
        Change::PutView(schema, table, _) => match at.views.get(&(schema.clone(), table.clone())) {
            Some(before) => Change::PutView(schema, table, before.clone()),
            None => Change::DropView(schema, table),
        },
        Change::DropView(schema, table) => {
            let before = at.views.get(&(schema.clone(), table.clone()))?;
            Change::PutView(schema, table, before.clone())
        }
        Change::CreateAccount(name, kind) => Change::DropAccount(name, kind),
        Change::DropAccount(name, kind) => Change::CreateAccount(name, kind),
        Change::Set(account, setting, _) => {
            let before = at
                .settings
                .get(&(account.clone(), setting.clone()))
                .map_or(DEFAULT, String::as_str);
            Change::Set(account, setting, before.to_owned())
        }
        Change::AddMember(role, member) => Change::DropMember(role, member),
        Change::UseMember(..) => return None,
        Change::DropMember(role, member) => Change::AddMember(role, member),
        Change::Grant(grant) => Change::Revoke(grant),
        Change::Revoke(grant) => Change::Grant(grant),
    })
}

fn sql(target: &Target, group: &[Change]) -> Vec<String> {
    match target.engine {
        Engine::Postgres => postgres::sql(target, group),
        Engine::MySql | Engine::MariaDb => mysql::sql(target, group),
        Engine::Sqlite => Vec::new(),
    }
}

/// `SELECT (a, b), INSERT (a), DELETE` for grants on one table; a bare list of privileges for anything else.
fn privileges(grants: &[&Grant], quote: impl Fn(&str) -> String) -> String {
    let mut by_privilege: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for grant in grants {
        let columns = by_privilege.entry(&grant.privilege).or_default();
        if let Object::Column(_, _, column) = &grant.object {
            columns.push(quote(column));
        }
    }
    // A privilege on the table and on columns of it at once is the one on the table.
    let whole = |privilege: &str| {
        grants.iter().any(|grant| {
            grant.privilege == privilege && !matches!(grant.object, Object::Column(..))
        })
    };
    let listed = by_privilege.into_iter().map(|(privilege, columns)| {
        if columns.is_empty() || whole(privilege) {
            privilege.to_owned()
        } else {
            format!("{privilege} ({})", columns.join(", "))
        }
    });
    listed.collect::<Vec<_>>().join(", ")
}
