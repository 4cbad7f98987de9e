//! A room of one's own for each test: a folder, a key, a database, and the program to run in it.

mod cluster;
mod component;
mod engine;
mod forwarder;
mod gate;
mod own_server;
mod postgres;
mod process;
mod relay;
mod removal;
mod repository;
mod room;
mod rows;
mod run;
mod service;
mod tls_server;

pub(crate) use cluster::Cluster;
pub(crate) use component::{Verdict, is_refusal, tried};
pub(crate) use engine::{block_on, runtime};
pub(crate) use forwarder::Forwarder;
pub(crate) use gate::Gate;
pub(crate) use own_server::OwnServer;
pub(crate) use postgres::RestartablePostgres;
pub(crate) use process::{Ran, Running, ran, until};
pub(crate) use relay::Relay;
pub(crate) use repository::repository;
pub(crate) use room::{Room, run_with_input, typed};
pub(crate) use strongroom_migration::Engine;

pub(crate) use rows::{Row, nasty_rows, numbered_rows};
pub(crate) use service::{Caller, Service};
pub(crate) use tls_server::{Authority, TlsServer};

/// Makes one test per engine out of functions that take an [`Engine`].
macro_rules! on_every_engine {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name($crate::support::Engine::Sqlite) })*
        }
        $crate::support::on_every_server!($($name),*);
    };
}
pub(crate) use on_every_engine;

/// The same, without SQLite.
macro_rules! on_every_server {
    ($($name:ident),* $(,)?) => {
        mod postgres {
            $(#[test] fn $name() { super::$name($crate::support::Engine::Postgres) })*
        }
        mod mysql {
            $(#[test] fn $name() { super::$name($crate::support::Engine::MySql) })*
        }
        mod mariadb {
            $(#[test] fn $name() { super::$name($crate::support::Engine::MariaDb) })*
        }
    };
}
pub(crate) use on_every_server;

/// One test per engine for `make test-long`, in a module `long`.
macro_rules! long_on_every_engine {
    ($($name:ident),* $(,)?) => {
        mod long {
            mod sqlite {
                $(#[test]
                #[ignore = "takes minutes: make test-long"]
                fn $name() { super::super::$name($crate::support::Engine::Sqlite) })*
            }
            $crate::support::long_on_every_server!(@modules $($name),*);
        }
    };
}
pub(crate) use long_on_every_engine;

/// The same, without SQLite.
macro_rules! long_on_every_server {
    (@modules $($name:ident),* $(,)?) => {
        mod postgres {
            $(#[test]
            #[ignore = "takes minutes: make test-long"]
            fn $name() { super::super::$name($crate::support::Engine::Postgres) })*
        }
        mod mysql {
            $(#[test]
            #[ignore = "takes minutes: make test-long"]
            fn $name() { super::super::$name($crate::support::Engine::MySql) })*
        }
        mod mariadb {
            $(#[test]
            #[ignore = "takes minutes: make test-long"]
            fn $name() { super::super::$name($crate::support::Engine::MariaDb) })*
        }
    };
    ($($name:ident),* $(,)?) => {
        mod long {
            $crate::support::long_on_every_server!(@modules $($name),*);
        }
    };
}
pub(crate) use long_on_every_server;
