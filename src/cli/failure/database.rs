//! What to type when a database does not serve.

use sea_orm::DbErr;

use super::{Failure, tls};
use crate::exit::Exit;
use strongroom::internal::db::{self, Unserved, said_by_server};

/// What names our own database.
pub(super) const OURS: &str = "database.url";

/// `setting`: what names the database, an option or a setting.
pub(super) fn failure(error: &DbErr, setting: &str) -> Failure {
    if let Some(failure) = tls::failure(error) {
        return failure;
    }
    let said = said_by_server(error);
    if let Some(why) = db::unserved(error) {
        return unserved(why, &said, setting);
    }
    if db::is_transient(error) {
        let failure = Failure::new(
            Exit::Failed,
            "database_busy",
            format!("the database stayed busy: {said}"),
        );
        return failure.help("the same command again goes on where this one stopped");
    }
    Failure::new(Exit::Failed, "database", format!("the database: {said}"))
}

fn unserved(why: Unserved, said: &str, setting: &str) -> Failure {
    let (exit, code) = match why {
        Unserved::Pooler => (Exit::Failed, "pooler"),
        Unserved::Packet => (Exit::Failed, "packet"),
        Unserved::NoDatabase => (Exit::Unreachable, "database_missing"),
        Unserved::NotPrimary => (Exit::Unreachable, "database_not_primary"),
        _ => (Exit::Unreachable, "database_unreachable"),
    };
    Failure::new(exit, code, format!("{}: {said}", what(why))).help(help(why, setting))
}

fn what(why: Unserved) -> &'static str {
    match why {
        Unserved::Pooler => "a connection pooler in transaction mode stands before the database",
        Unserved::TooManyConnections => "the database server takes no more connections",
        Unserved::NoDatabase => "the database does not exist",
        Unserved::Login => "the database server refuses the login",
        Unserved::Packet => "a statement is longer than the database server takes",
        Unserved::Lost => {
            "the database cannot be reached any more: it closed the connection during a statement"
        }
        Unserved::OtherService => "the database cannot be reached: another service is there",
        Unserved::NotResolved => "the database cannot be reached: its host name has no address",
        Unserved::Refused => {
            "the database cannot be reached: nothing listens at this host and port"
        }
        Unserved::Silent => "the database cannot be reached: nothing answers",
        Unserved::Protocol => {
            "the database cannot be reached: the answer is not in the engine's protocol"
        }
        Unserved::NotPrimary => "the database server is not the primary",
        Unserved::Other => "the database cannot be reached",
    }
}

fn help(why: Unserved, setting: &str) -> String {
    match why {
        Unserved::Pooler => format!(
            "set `{setting}` to the server's own address, or to a pool with `pool_mode = session`; or let the pooler follow \
             prepared statements (PgBouncer from 1.21: `max_prepared_statements = 200`)"
        ),
        Unserved::TooManyConnections => {
            "close sessions of other programs, or raise the limit (`max_connections`, or the login's own); then run the same \
             command again"
                .into()
        }
        Unserved::NoDatabase if setting == OURS => "make it with `strongroom init`".into(),
        Unserved::NoDatabase => format!("check the database's name in `{setting}`"),
        Unserved::Login => format!(
            "check the user and the password in `{setting}`, and whether the server lets this login in from this host; in a \
             password `%` is written `%25`, and `#` `%23`"
        ),
        Unserved::Packet | Unserved::Lost => "run the same command again; if it ends like this again, raise the server's \
                                              `max_allowed_packet` to 16 MiB (MySQL, MariaDB), or give a smaller \
                                              `--batch-size`, such as `--batch-size 50`"
            .into(),
        Unserved::OtherService | Unserved::Protocol => {
            format!("check scheme, host and port in `{setting}`: postgres:// is 5432 and mysql:// 3306 by default")
        }
        Unserved::NotResolved => format!("check the host in `{setting}`, and this machine's name service"),
        Unserved::Refused => format!("start the server, or check host and port in `{setting}`"),
        Unserved::Silent => format!("check host and port in `{setting}`, and firewalls between here and there"),
        Unserved::NotPrimary => format!(
            "name the primary in `{setting}`, or all servers: `…@HOST:PORT,HOST:PORT/DATABASE` takes the one that is the primary; \
             after a failover run the same command again"
        ),
        Unserved::Other if setting == OURS => "check `database.url` in the configuration, or STRONGROOM__DATABASE__URL".into(),
        Unserved::Other => format!("check `{setting}`"),
    }
}
