//! What a node says of its Galera cluster. Reads only.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// A cluster, as one node sees it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cluster {
    /// How many nodes there are.
    pub size: u32,
    /// `Primary` where the node is with the majority.
    pub status: String,
    /// What the node does: `Synced`, `Donor`, …
    pub state: String,
    /// The provider's version.
    pub provider: String,
    /// How sessions change the schema that do not choose: `TOI` on all nodes alike.
    pub schema_method: String,
    /// Whether sessions that do not choose read from a node that left its cluster.
    pub dirty_reads: bool,
    /// For which part of the time writers were held back since the counters began.
    pub flow_control_paused: f64,
}

/// Returns the server's cluster; `None` outside of one.
pub async fn cluster(db: &impl ConnectionTrait) -> Result<Option<Cluster>, DbErr> {
    if db.get_database_backend() != DbBackend::MySql {
        return Ok(None);
    }
    let told = pairs(db, VARIABLES).await?;
    if told.get("wsrep_on").map(String::as_str) != Some("ON") {
        return Ok(None);
    }
    Ok(Some(read(&told, &pairs(db, STATUS).await?)))
}

fn read(variables: &HashMap<String, String>, status: &HashMap<String, String>) -> Cluster {
    let of =
        |from: &HashMap<String, String>, name: &str| from.get(name).cloned().unwrap_or_default();
    Cluster {
        size: of(status, "wsrep_cluster_size").parse().unwrap_or(0),
        status: of(status, "wsrep_cluster_status"),
        state: of(status, "wsrep_local_state_comment"),
        provider: of(status, "wsrep_provider_version"),
        schema_method: of(variables, "wsrep_osu_method"),
        dirty_reads: of(variables, "wsrep_dirty_reads") == "ON",
        flow_control_paused: of(status, "wsrep_flow_control_paused").parse().unwrap_or(0.0),
    }
}

/// MySQL and MariaDB: the tables of Strongroom's that have no primary key. A cluster does not replicate their rows soundly.
pub async fn without_primary_key(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), KEYLESS)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// By name in lower case: servers spell some names in both.
async fn pairs(db: &impl ConnectionTrait, sql: &str) -> Result<HashMap<String, String>, DbErr> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    rows.iter()
        .map(|row| {
            let name: String = row.try_get_by_index(0)?;
            Ok((name.to_ascii_lowercase(), row.try_get_by_index(1)?))
        })
        .collect()
}

const VARIABLES: &str = "SHOW GLOBAL VARIABLES WHERE variable_name IN ('wsrep_on', 'wsrep_osu_method', 'wsrep_dirty_reads')";
const STATUS: &str = "SHOW GLOBAL STATUS WHERE variable_name IN ('wsrep_cluster_size', 'wsrep_cluster_status', \
                      'wsrep_local_state_comment', 'wsrep_provider_version', 'wsrep_flow_control_paused')";
const KEYLESS: &str = "SELECT CAST(t.TABLE_NAME AS CHAR) FROM information_schema.TABLES t \
                       WHERE t.TABLE_SCHEMA = DATABASE() AND t.TABLE_TYPE = 'BASE TABLE' \
                       AND (t.TABLE_NAME LIKE 'strongroom\\_%' OR t.TABLE_NAME = 'credential') AND NOT EXISTS \
                       (SELECT 1 FROM information_schema.TABLE_CONSTRAINTS c WHERE c.TABLE_SCHEMA = t.TABLE_SCHEMA \
                       AND c.TABLE_NAME = t.TABLE_NAME AND c.CONSTRAINT_TYPE = 'PRIMARY KEY') ORDER BY 1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_does_not_tell_is_left_open() {
        assert_eq!(read(&HashMap::new(), &HashMap::new()), Cluster::default());
        let variables = HashMap::from([("wsrep_osu_method".to_owned(), "RSU".to_owned())]);
        let status = HashMap::from([
            ("wsrep_cluster_size".to_owned(), "3".to_owned()),
            ("wsrep_flow_control_paused".to_owned(), "0.25".to_owned()),
        ]);
        let read = read(&variables, &status);
        assert_eq!((read.size, read.schema_method.as_str()), (3, "RSU"));
        assert!((read.flow_control_paused - 0.25).abs() < f64::EPSILON);
    }
}
