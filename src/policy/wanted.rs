//! The state that a policy wants a server to be in.

use std::collections::BTreeSet;

use strongroom_migration::Engine;

use super::diff::DEFAULT;
use super::names::{Names, Slot};
use super::state::{ENABLED, Grant, Kind, Object, State, USED};
use super::{Component, Limits, Policy, TableRights, Verb};

/// Where a policy is to hold.
#[derive(Debug, Clone)]
pub struct Target {
    /// The engine.
    pub engine: Engine,
    /// PostgreSQL's major version; 0 elsewhere.
    pub version: u32,
    /// Whether the server has rules for passwords that it can keep only of a password, not of its hash.
    pub looks_at_passwords: bool,
    /// The database.
    pub database: String,
    /// The schema of its tables: on MySQL and MariaDB the database.
    pub schema: String,
    /// The accounts' names.
    pub names: Names,
}

impl Target {
    /// The database to which a component's programs connect: on MariaDB the component's schema of views.
    pub fn database_of(&self, component: &str) -> String {
        self.view_schema(component).unwrap_or_else(|| self.database.clone())
    }

    /// The schema of a component's grants.
    pub fn schema_of(&self, component: &str) -> String {
        self.view_schema(component).unwrap_or_else(|| self.schema.clone())
    }

    /// The schema of a component's views. Only MariaDB has such schemas, because its column grants do not confine a login.
    pub fn view_schema(&self, component: &str) -> Option<String> {
        (self.engine == Engine::MariaDb).then(|| self.names.view_schema(component))
    }

    /// The schema that a program must name, where that is not the one in which every login looks.
    pub fn named_schema(&self) -> Option<&str> {
        (self.engine == Engine::Postgres && self.schema != PUBLIC_SCHEMA)
            .then_some(self.schema.as_str())
    }
}

/// What the server should hold. `open` are the logins that may log in.
pub(super) fn wanted(policy: &Policy, target: &Target, open: &BTreeSet<String>) -> State {
    let mut state = State::default();
    for (name, component) in &policy.components {
        Wanted { target, open, name, component }.add_to(&mut state);
    }
    state
}

struct Wanted<'a> {
    target: &'a Target,
    open: &'a BTreeSet<String>,
    name: &'a str,
    component: &'a Component,
}

impl Wanted<'_> {
    fn add_to(&self, state: &mut State) {
        let role = self.target.names.role(self.name);
        state.accounts.insert(role.clone(), Kind::Role);
        self.role_settings(&role, state);
        for slot in Slot::ALL {
            let login = self.target.names.login(self.name, slot);
            state.accounts.insert(login.clone(), Kind::Login);
            state.members.insert((role.clone(), login.clone()), USED.to_owned());
            self.login_settings(&login, state);
        }
        let schema = self.schema(state);
        for (table, rights) in &self.component.tables {
            if self.target.engine == Engine::MariaDb {
                let columns = rights.touched().into_iter().map(str::to_owned).collect();
                state.views.insert((schema.clone(), table.clone()), columns);
            }
            state.grants.extend(grants(&role, &schema, table, rights));
        }
    }

    /// The schema that its grants are on, and what it takes to reach it.
    fn schema(&self, state: &mut State) -> String {
        let role = self.target.names.role(self.name);
        match self.target.engine {
            Engine::MariaDb => {
                let schema = self.target.names.view_schema(self.name);
                state.schemas.insert(schema.clone());
                return schema;
            }
            Engine::Postgres => {
                let on = |object, privilege: &str| Grant {
                    grantee: role.clone(),
                    object,
                    privilege: privilege.to_owned(),
                };
                state.grants.insert(on(Object::Database(self.target.database.clone()), "CONNECT"));
                state.grants.insert(on(Object::Schema(self.target.schema.clone()), "USAGE"));
            }
            Engine::MySql | Engine::Sqlite => {}
        }
        self.target.schema.clone()
    }

    fn role_settings(&self, role: &str, state: &mut State) {
        let mut set = |setting: &str, value: &str| {
            state.settings.insert((role.to_owned(), setting.to_owned()), value.to_owned());
        };
        match self.target.engine {
            Engine::Postgres => {
                set(ENABLED, "false");
                for attribute in POSTGRES_ATTRIBUTES {
                    set(attribute, "false");
                }
            }
            Engine::MySql => set(ENABLED, "false"),
            Engine::MariaDb | Engine::Sqlite => {}
        }
    }

    fn login_settings(&self, login: &str, state: &mut State) {
        let mut set = |setting: &str, value: String| {
            state.settings.insert((login.to_owned(), setting.to_owned()), value);
        };
        let limits = &self.component.limits;
        set(ENABLED, self.open.contains(login).to_string());
        set(
            "connections",
            limits.connections.map_or(DEFAULT.to_owned(), |limit| limit.to_string()),
        );
        match self.target.engine {
            Engine::Postgres => {
                for attribute in POSTGRES_ATTRIBUTES {
                    set(attribute, "false".to_owned());
                }
                for (setting, value) in timeouts(limits) {
                    set(setting, value.map_or(DEFAULT.to_owned(), |ms| ms.to_string()));
                }
            }
            _ => set("certificate", self.component.certificate.to_string()),
        }
        if self.target.engine == Engine::Postgres && self.target.schema != PUBLIC_SCHEMA {
            set(SEARCH_PATH, self.target.schema.clone());
        }
        if self.target.engine == Engine::MariaDb {
            set(
                "statement_timeout",
                limits.statement_timeout_ms.map_or(DEFAULT.to_owned(), |ms| ms.to_string()),
            );
        }
    }
}

/// Where a login of PostgreSQL looks for tables in this database: set where that is not the schema that all look in.
pub(super) const SEARCH_PATH: &str = "search_path here";

const PUBLIC_SCHEMA: &str = "public";

/// The grants on tables that a component's role holds, and no others.
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub(crate) fn grants_of(target: &Target, name: &str, component: &Component) -> BTreeSet<Grant> {
    let role = target.names.role(name);
    let schema = target.schema_of(name);
    component
        .tables
        .iter()
        .flat_map(|(table, rights)| grants(&role, &schema, table, rights))
        .collect()
}

/// What no component's account may be.
pub(super) const POSTGRES_ATTRIBUTES: [&str; 5] =
    ["superuser", "createdb", "createrole", "replication", "bypassrls"];

/// PostgreSQL's names of the time limits, in milliseconds.
pub(crate) fn timeouts(limits: &Limits) -> [(&'static str, Option<u64>); 3] {
    [
        ("statement_timeout", limits.statement_timeout_ms),
        ("lock_timeout", limits.lock_timeout_ms),
        ("idle_in_transaction_session_timeout", limits.idle_transaction_timeout_ms),
    ]
}

fn grants(role: &str, schema: &str, table: &str, rights: &TableRights) -> Vec<Grant> {
    let grant = |object, verb: Verb| Grant {
        grantee: role.to_owned(),
        object,
        privilege: verb.sql().to_owned(),
    };
    let on = |column: &String| Object::Column(schema.to_owned(), table.to_owned(), column.clone());
    let of = |verb: Verb| {
        rights.columns(verb).into_iter().flatten().map(move |column| grant(on(column), verb))
    };
    let columns = Verb::OF_COLUMNS.into_iter().flat_map(of);
    let rows = rights
        .delete
        .then(|| grant(Object::Table(schema.to_owned(), table.to_owned()), Verb::Delete));
    columns.chain(rows).collect()
}
