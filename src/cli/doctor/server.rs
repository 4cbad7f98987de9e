//! The server: its version, its clock, and the settings that Strongroom depends on.

use strongroom::migration::Engine;

use super::check::Check;
use strongroom::internal::db::{
    Address, DatabaseConnection, DbErr, Support, server, server_version, support, tested_versions,
};
use strongroom::internal::policy::may_make_triggers;

/// With less, pages of the reseal engine are smaller.
const LEAST_PACKET: u64 = 16 << 20;
/// Leases are counted by the database's clock, so this costs no correctness; logs are hard to compare.
const CLOCK_TOLERANCE_MS: i64 = 2000;

pub(super) async fn version(db: &DatabaseConnection, address: &Address) -> Check {
    let told = async { Ok::<_, DbErr>((Engine::of(db).await?, server_version(db).await?)) };
    let (engine, version) = match told.await {
        Ok(told) => told,
        Err(error) => return Check::failed("database", error),
    };
    let message = format!("{address}: {engine} {version}");
    match support(engine, &version) {
        Support::Tested => Check::ok("database", message),
        Support::Untested => {
            let hint =
                format!("accepted and untested: {engine} {} are tested", tested_versions(engine));
            Check::advice("database", message, hint)
        }
        Support::TooOld(reason) => {
            Check::advice("database", message, format!("update the server: {reason}"))
        }
    }
}

pub(super) async fn clock(db: &DatabaseConnection) -> Check {
    server::clock_lead_ms(db).await.map_or_else(|error| Check::unknown("clock", error), judge_clock)
}

fn judge_clock(lead_ms: i64) -> Check {
    if lead_ms.abs() <= CLOCK_TOLERANCE_MS {
        return Check::ok("clock", "within 2 s of the database's");
    }
    let way = if lead_ms > 0 { "ahead of" } else { "behind" };
    let message = format!("this host is {} s {way} the database", lead_ms.abs() / 1000);
    Check::advice("clock", message, "set both hosts' clocks by the same time server")
}

pub(super) async fn settings(db: &DatabaseConnection) -> Vec<Check> {
    let engine = match Engine::of(db).await {
        Ok(engine) => engine,
        Err(error) => return vec![Check::unknown("settings", error)],
    };
    let mut checks = vec![schema_changes(engine)];
    if engine.has_logins() {
        checks.push(told("writable", writable(db).await));
    }
    checks.extend(create_role(db).await.transpose().map(|check| told("create role", check)));
    if engine.is_mysql_like() {
        checks.push(told("packet size", packet(db).await));
        checks.push(told("sql_mode", strict(db).await));
        checks.push(told("binary log", binary_log(db).await));
        checks.push(told("trigger owners", definers(db).await));
    }
    checks
}

fn told(name: &'static str, check: Result<Check, DbErr>) -> Check {
    check.unwrap_or_else(|error| Check::unknown(name, error))
}

fn schema_changes(engine: Engine) -> Check {
    Check::ok(
        "schema changes",
        if engine.has_transactional_ddl() {
            "roll back"
        } else {
            "commit one by one; a run that was cut short is continued"
        },
    )
}

async fn writable(db: &DatabaseConnection) -> Result<Check, DbErr> {
    if server::is_read_only(db).await? {
        let hint = "use the primary's address in `database.url` for everything but looking";
        return Ok(Check::advice(
            "writable",
            "the server takes no changes: a replica, or locked for reading",
            hint,
        ));
    }
    Ok(Check::ok("writable", "the server takes changes"))
}

/// Before version 16 that right was almost a superuser's.
async fn create_role(db: &DatabaseConnection) -> Result<Option<Check>, DbErr> {
    let hint = "keep this login off application hosts and use it for migrations alone; from PostgreSQL 16 on it reaches only \
                the roles that it made";
    Ok(server::changes_every_role(db).await?.then(|| {
        let message = "this login has CREATEROLE, and changes every role that is no superuser, predefined ones included";
        Check::advice("create role", message, hint)
    }))
}

async fn packet(db: &DatabaseConnection) -> Result<Check, DbErr> {
    let bytes = server::max_allowed_packet(db).await?;
    let message = format!("max_allowed_packet is {} KiB", bytes >> 10);
    if bytes < LEAST_PACKET {
        let hint = "run `SET GLOBAL max_allowed_packet = 16777216` on the server: with less, pages are smaller";
        return Ok(Check::advice("packet size", message, hint));
    }
    Ok(Check::ok("packet size", message))
}

async fn strict(db: &DatabaseConnection) -> Result<Check, DbErr> {
    if server::is_strict_by_default(db).await? {
        return Ok(Check::ok("sql_mode", "strict"));
    }
    let hint = "add STRICT_ALL_TABLES to the server's sql_mode; Strongroom's own sessions are strict all the same";
    Ok(Check::advice("sql_mode", "not strict: other programs' values are cut to fit", hint))
}

async fn binary_log(db: &DatabaseConnection) -> Result<Check, DbErr> {
    if may_make_triggers(db).await? {
        return Ok(Check::ok("binary log", "does not keep this login from making triggers"));
    }
    let hint =
        "set log_bin_trust_function_creators = 1 for the upgrade, or migrate as a login with SUPER";
    Ok(Check::advice(
        "binary log",
        "keeps this login from making triggers, which migrations need (error 1419)",
        hint,
    ))
}

async fn definers(db: &DatabaseConnection) -> Result<Check, DbErr> {
    let lost = server::lost_definers(db).await?;
    if lost.is_empty() {
        return Ok(Check::ok("trigger owners", "all there"));
    }
    let message = format!("gone: {}; writes to the table fail (error 1449)", lost.join(", "));
    Ok(Check::advice(
        "trigger owners",
        message,
        "make the account again, locked and with its old rights on this database",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_differ_are_told_and_refuse_nothing() {
        for (lead_ms, said) in [
            (2000, None),
            (-1999, None),
            (3500, Some("3 s ahead of")),
            (-90_000, Some("90 s behind")),
        ] {
            let check = judge_clock(lead_ms);
            assert!(!check.is_bad());
            let document = serde_json::to_value(&check).unwrap();
            let message = document["message"].as_str().unwrap();
            assert_eq!(document["state"] == "warn", said.is_some(), "{document}");
            assert!(said.is_none_or(|said| message.contains(said)), "{document}");
        }
    }
}
