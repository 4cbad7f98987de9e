//! What a database holds: every credential opened by a program that was just started, and the sums of all tables.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use strongroom::credential::{Filter, Store};
use strongroom::db::{Access, Address, connect};
use strongroom::key::{EpochFloor, EpochMemory, FileSource, KeySource as _, Roots};

use crate::support::{Cluster, Room, block_on};

/// A store as a program has it that links the library.
pub async fn store(url: &str, key: &Path) -> Store {
    let db = connect(&Address::parse(url).unwrap(), Access::Write).await.unwrap();
    let root = FileSource::new(key).root().await.unwrap();
    Store::new(db, Some(Arc::new(root.into())), 0)
}

/// The same with the host's memory of epochs, and both roots of a rewrap.
pub async fn remembering_store(room: &Room) -> Store {
    let address = Address::parse(room.url()).unwrap();
    let memory = EpochMemory::new(room.path().join("host.epoch"), address.without_login());
    let db = connect(&address, Access::Write).await.unwrap();
    let [current, next] =
        ["strongroom.key", "next.key"].map(|name| FileSource::new(room.path().join(name)));
    let roots = Roots::from(current.root().await.unwrap()).with_next(next.root().await.unwrap());
    Store::new(db, Some(Arc::new(roots)), EpochFloor::from(0).with_memory(memory))
}

/// Every credential with its secret, or with what is said instead of it.
pub fn opened(url: &str, key: &Path) -> BTreeMap<String, String> {
    block_on(async {
        let store = store(url, key).await;
        let (mut all, mut filter) = (BTreeMap::new(), Filter::default());
        loop {
            let page = store.list(&filter, 1_000).await.unwrap();
            let ids: Vec<_> = page.credentials.into_iter().map(|listed| listed.id).collect();
            for (id, found) in store.find_many(&ids).await.unwrap() {
                let secret = match found {
                    Ok(credential) => credential.secret.unwrap().to_string(),
                    Err(failure) => format!("does not open: {failure:?}"),
                };
                all.insert(id, secret);
            }
            filter.after = page.next;
            if filter.after.is_none() {
                return all;
            }
        }
    })
}

/// The columns of all tables, how many rows each has, and a sum of their bytes, as a node has them after all that other nodes sent.
pub fn sums(cluster: &Cluster, node: usize, database: &str) -> String {
    let columns = cluster.sql(
        node,
        &format!(
            "SET SESSION wsrep_sync_wait = 7; SELECT table_name, group_concat(column_name ORDER BY column_name) \
             FROM information_schema.columns WHERE table_schema = '{database}' GROUP BY table_name ORDER BY table_name"
        ),
    );
    let of_table = |line: &str| {
        let (table, columns) = line.split_once('\t').unwrap();
        let cells: Vec<_> =
            columns.split(',').map(|name| format!("coalesce(hex(`{name}`), '-')")).collect();
        format!(
            "SELECT '{table}', '{columns}', count(*), coalesce(sum(crc32(concat_ws('|', {}))), 0) FROM `{database}`.`{table}`",
            cells.join(", ")
        )
    };
    let tables: Vec<_> = columns.lines().map(of_table).collect();
    cluster.sql(node, &format!("SET SESSION wsrep_sync_wait = 7; {}", tables.join(" UNION ALL ")))
}
