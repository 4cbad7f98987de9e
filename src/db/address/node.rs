//! The address of one node of a cluster.

use std::sync::Arc;

use sea_orm::DbBackend;
use url::Url;

use super::{Address, hosts, shown, without_password};

impl Address {
    /// The same login and database at another host, written `HOST`, `HOST:PORT` or `[IPV6]:PORT`: a node of a cluster. `None`
    /// where that is no host, and for SQLite.
    #[doc(hidden)]
    pub fn at_node(&self, node: &str) -> Option<Self> {
        let mut url = self.parsed().ok()?.into_iter().next()?;
        if self.engine == DbBackend::Sqlite || node.contains(['/', '@', '?', '#', ',']) {
            return None;
        }
        let place = Url::parse(&format!("{}://{node}/", url.scheme())).ok()?;
        url.set_host(Some(place.host_str().filter(|host| !host.is_empty())?)).ok()?;
        url.set_port(place.port()).ok()?;
        hosts::leave_out_places(&mut url);
        let urls = [url];
        Some(Self {
            shown: shown(&urls, without_password),
            urls: hosts::secrets(urls.into_iter().map(String::from)),
            engine: self.engine,
            asked: self.asked.clone(),
            demand: None,
            tls: self.tls.clone(),
            current: Arc::default(),
        })
    }
}
