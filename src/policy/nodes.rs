//! The nodes of a Galera cluster, each with a connection of its own: a node lists and ends its own sessions alone.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use strongroom_migration::Engine;

use super::{GrantError, sessions};
use crate::db::{self, Access, Address, statement};

/// How to reach the nodes of a cluster.
#[derive(Debug, Clone, Default)]
pub struct NodeAddresses {
    /// The database's own, whose login and demands on TLS count at every node.
    pub address: Option<Arc<Address>>,
    /// `HOST:PORT` of each node, where those that the cluster announces do not lead there from here.
    pub nodes: Vec<String>,
}

/// The other nodes of the cluster of a connection.
pub(crate) struct Nodes {
    reached: Vec<(String, DatabaseConnection)>,
    /// The nodes that were not asked, with the reason.
    pub(crate) unvisited: Vec<String>,
}

impl Nodes {
    /// Connects to every other node; none where the server is no cluster's.
    pub(crate) async fn open(
        db: &impl ConnectionTrait,
        engine: Engine,
        to: &NodeAddresses,
    ) -> Result<Self, GrantError> {
        let mut nodes = Self { reached: Vec::new(), unvisited: Vec::new() };
        if !engine.is_mysql_like() || variable(db, "wsrep_on").await?.as_deref() != Some("ON") {
            return Ok(nodes);
        }
        let mut seen = vec![status(db, UUID).await?.unwrap_or_default()];
        let announced = status(db, "wsrep_incoming_addresses").await?.unwrap_or_default();
        let named: Vec<&str> = if to.nodes.is_empty() {
            announced.split(',').filter_map(as_address).collect()
        } else {
            to.nodes.iter().map(String::as_str).collect()
        };
        for node in named {
            match connect(to, node).await {
                Ok((db, id)) if seen.contains(&id) => db.close().await?,
                Ok((db, id)) => {
                    seen.push(id);
                    nodes.reached.push((node.to_owned(), db));
                }
                Err(reason) => nodes.unvisited.push(format!("{node} ({reason})")),
            }
        }
        let size = status(db, "wsrep_cluster_size").await?.and_then(|size| size.parse().ok());
        let missing = size.unwrap_or(seen.len()).saturating_sub(seen.len() + nodes.unvisited.len());
        if missing > 0 {
            nodes.unvisited.push(format!("{missing} of the cluster without a known address"));
        }
        Ok(nodes)
    }

    /// How many sessions a login has on all nodes that were reached.
    pub(crate) async fn count(
        &self,
        db: &impl ConnectionTrait,
        engine: Engine,
        login: &str,
    ) -> Result<usize, GrantError> {
        let mut all = sessions::of(db, engine, login).await?.len();
        for (_, node) in &self.reached {
            all += sessions::of(node, engine, login).await?.len();
        }
        Ok(all)
    }

    /// Ends a login's sessions on all nodes that were reached; how many there were.
    pub(crate) async fn end(
        &self,
        db: &impl ConnectionTrait,
        engine: Engine,
        login: &str,
    ) -> Result<usize, GrantError> {
        let mut all = sessions::end(db, engine, login).await?;
        all += self.end_elsewhere(engine, login).await?;
        Ok(all)
    }

    /// The same, on the other nodes alone.
    pub(crate) async fn end_elsewhere(
        &self,
        engine: Engine,
        login: &str,
    ) -> Result<usize, GrantError> {
        let mut all = 0;
        for (_, node) in &self.reached {
            all += sessions::end(node, engine, login).await?;
        }
        Ok(all)
    }

    pub(crate) async fn close(self) {
        for (_, node) in self.reached {
            let _ = node.close().await;
        }
    }
}

/// What each node's clock is ahead of the one that a connection leads to, in milliseconds; and the nodes that were not asked.
#[doc(hidden)]
pub async fn clock_leads_ms(
    db: &impl ConnectionTrait,
    to: &NodeAddresses,
) -> Result<(Vec<(String, i64)>, Vec<String>), GrantError> {
    let nodes = Nodes::open(db, Engine::MariaDb, to).await?;
    let here = db::server_clock_lead_ms(db).await?;
    let mut leads = Vec::new();
    for (node, there) in &nodes.reached {
        // This host's clock, ahead of one and of the other.
        leads.push((node.clone(), here - db::server_clock_lead_ms(there).await?));
    }
    let unvisited = nodes.unvisited.clone();
    nodes.close().await;
    Ok((leads, unvisited))
}

/// A node's own name in its cluster, another after each start.
const UUID: &str = "wsrep_gcomm_uuid";

/// The address that a node announces. One that was not told its own says `AUTO`; port 0 stands for the engine's own.
fn as_address(node: &str) -> Option<&str> {
    let node = node.trim();
    let node = node.strip_suffix(":0").unwrap_or(node);
    let is_one =
        !node.is_empty() && !node.eq_ignore_ascii_case("AUTO") && !node.starts_with("0.0.0.0");
    is_one.then_some(node)
}

async fn connect(to: &NodeAddresses, node: &str) -> Result<(DatabaseConnection, String), String> {
    let address = to.address.as_ref().and_then(|address| address.at_node(node));
    let address = address.ok_or_else(|| "no address of a host".to_owned())?;
    let db = db::connect(&address, Access::Write).await.map_err(|error| error.to_string())?;
    match status(&db, UUID).await {
        Ok(Some(id)) => Ok((db, id)),
        Ok(None) => Err("no node of a cluster".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

async fn variable(db: &impl ConnectionTrait, name: &str) -> Result<Option<String>, DbErr> {
    second(db, &format!("SHOW VARIABLES LIKE '{name}'")).await
}

async fn status(db: &impl ConnectionTrait, name: &str) -> Result<Option<String>, DbErr> {
    second(db, &format!("SHOW STATUS LIKE '{name}'")).await
}

/// A server outside a cluster has no such row.
async fn second(db: &impl ConnectionTrait, sql: &str) -> Result<Option<String>, DbErr> {
    let row = db.query_one_raw(statement(db.get_database_backend(), sql, [])).await?;
    row.map(|row| row.try_get_by_index(1)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_leads_to_a_node_counts_as_its_address() {
        for (told, is) in [
            ("10.0.0.1:3306", Some("10.0.0.1:3306")),
            (" 10.0.0.1:0", Some("10.0.0.1")),
            ("[fe80::1]:3306", Some("[fe80::1]:3306")),
            ("node-1", Some("node-1")),
            ("AUTO", None),
            ("auto:0", None),
            ("", None),
            ("0.0.0.0:3306", None),
        ] {
            assert_eq!(as_address(told), is, "{told}");
        }
    }
}
