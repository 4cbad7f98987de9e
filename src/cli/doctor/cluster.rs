//! Findings about a Galera cluster: settings and states by which nodes differ or stop.

use super::check::Check;
use crate::session::Session;
use strongroom::internal::db::server::{Cluster, cluster, without_primary_key};
use strongroom::internal::db::{DatabaseConnection, DbErr};
use strongroom::internal::policy::clock_leads_ms;

const NAME: &str = "cluster";
/// Above it writers wait for a node for a good part of the time.
const PAUSED: f64 = 0.1;
/// The run lock's lease is counted by the clock of whichever node is asked.
const CLOCK_TOLERANCE_MS: i64 = 2000;

/// Nothing outside a cluster.
pub(super) async fn all(session: &Session, db: &DatabaseConnection) -> Vec<Check> {
    let found = match cluster(db).await {
        Ok(Some(found)) => found,
        Ok(None) => return Vec::new(),
        Err(error) => return vec![Check::unknown(NAME, error)],
    };
    let mut checks = settings(&found);
    checks.push(keyless(db).await.unwrap_or_else(|error| Check::unknown("primary keys", error)));
    checks.push(clocks(session, db).await);
    checks
}

fn settings(found: &Cluster) -> Vec<Check> {
    let mut checks = vec![nodes(found)];
    if found.schema_method != "TOI" {
        let message = format!(
            "wsrep_osu_method is {}: a change of the schema by another program would stay on one node",
            found.schema_method
        );
        let hint = "run `SET GLOBAL wsrep_osu_method = 'TOI'` on each node; Strongroom's own sessions have it set";
        checks.push(Check::advice("schema method", message, hint));
    }
    if found.dirty_reads {
        let message = "wsrep_dirty_reads is on: other programs read what is out of date from a node that left the cluster";
        let hint = "run `SET GLOBAL wsrep_dirty_reads = OFF` on each node; Strongroom's own sessions have it off";
        checks.push(Check::advice("dirty reads", message, hint));
    }
    checks.push(flow(found));
    checks
}

fn nodes(found: &Cluster) -> Check {
    let Cluster { size, status, state, provider, .. } = found;
    let message = format!("Galera {provider}: {size} nodes, {status}, this one {state}");
    if status != "Primary" {
        return Check::advice(
            NAME,
            message,
            "this node is apart from the majority: use another one",
        );
    }
    if *size < 3 {
        let hint = "with fewer than three nodes (or two and an arbitrator) the loss of one stops the others";
        return Check::advice(NAME, message, hint);
    }
    Check::ok(NAME, message)
}

fn flow(found: &Cluster) -> Check {
    let percent = found.flow_control_paused * 100.0;
    let message = format!("writers were held back for {percent:.1} % of the time");
    if found.flow_control_paused > PAUSED {
        let hint = "find the slow node by its wsrep_local_recv_queue_avg; a smaller `--batch-size`, or a `--batch-delay`, loads it less";
        return Check::advice("flow control", message, hint);
    }
    Check::ok("flow control", message)
}

async fn keyless(db: &DatabaseConnection) -> Result<Check, DbErr> {
    let tables = without_primary_key(db).await?;
    if tables.is_empty() {
        return Ok(Check::ok("primary keys", "every table of Strongroom's has one"));
    }
    let hint = "give each a primary key: without one the nodes of a cluster may come to hold different rows";
    Ok(Check::advice("primary keys", format!("missing: {}", tables.join(", ")), hint))
}

async fn clocks(session: &Session, db: &DatabaseConnection) -> Check {
    const NAME: &str = "node clocks";
    let nodes = match session.config.nodes() {
        Ok(nodes) => nodes,
        Err(error) => return Check::unknown(NAME, error),
    };
    match clock_leads_ms(db, &nodes).await {
        Ok((leads, unvisited)) => judge_clocks(&leads, &unvisited),
        Err(error) => Check::unknown(NAME, error),
    }
}

fn judge_clocks(leads: &[(String, i64)], unvisited: &[String]) -> Check {
    const NAME: &str = "node clocks";
    let apart: Vec<_> = leads
        .iter()
        .filter(|(_, lead)| lead.abs() > CLOCK_TOLERANCE_MS)
        .map(|(node, lead)| format!("{node} by {} s", lead.abs() / 1000))
        .collect();
    if !apart.is_empty() {
        let message = format!("differ from this node's: {}", apart.join(", "));
        return Check::advice(
            NAME,
            message,
            "set the nodes' clocks by one time server: the run lock's lease counts by them",
        );
    }
    if !unvisited.is_empty() {
        let message = format!("not asked: {}", unvisited.join(", "));
        return Check::advice(
            NAME,
            message,
            "name each node in `database.nodes`, as `HOST:PORT` that leads there from here",
        );
    }
    Check::ok(NAME, format!("within 2 s of each other on {} nodes", leads.len() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(checks: &[Check]) -> Vec<String> {
        checks
            .iter()
            .filter_map(|check| check.finding().map(|found| found.code.to_owned()))
            .collect()
    }

    #[test]
    fn each_thing_that_is_wrong_with_a_cluster_has_its_finding() {
        let sound = Cluster {
            size: 3,
            status: "Primary".into(),
            state: "Synced".into(),
            provider: "26.4".into(),
            schema_method: "TOI".into(),
            ..Cluster::default()
        };
        assert_eq!(codes(&settings(&sound)), Vec::<String>::new());
        for (broken, code) in [
            (Cluster { size: 2, ..sound.clone() }, "cluster"),
            (Cluster { status: "non-Primary".into(), ..sound.clone() }, "cluster"),
            (Cluster { schema_method: "RSU".into(), ..sound.clone() }, "schema_method"),
            (Cluster { dirty_reads: true, ..sound.clone() }, "dirty_reads"),
            (Cluster { flow_control_paused: 0.2, ..sound.clone() }, "flow_control"),
        ] {
            assert_eq!(codes(&settings(&broken)), [code], "{broken:?}");
        }
    }

    #[test]
    fn clocks_of_nodes_that_differ_or_were_not_asked_are_findings() {
        let lead = |ms| vec![("n2:3306".to_owned(), ms)];
        assert_eq!(codes(&[judge_clocks(&lead(1999), &[])]), Vec::<String>::new());
        let apart = judge_clocks(&lead(-2001), &[]);
        assert!(apart.message().contains("n2:3306 by 2 s"), "{}", apart.message());
        let not_asked = judge_clocks(&lead(0), &["n3:3306 (gone)".to_owned()]);
        assert!(not_asked.message().contains("n3:3306"), "{}", not_asked.message());
        assert_eq!(codes(&[apart, not_asked]), ["node_clocks", "node_clocks"]);
    }
}
