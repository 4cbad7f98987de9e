//! Servers that speak TLS, reached as one reaches a server on another machine: at their own address.

use std::net::{IpAddr, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use sea_orm::{ConnectionTrait, Database};
use strongroom_migration::Engine;
use testcontainers::core::ExecCommand;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt};

use super::engine::{OneEach, PASSWORD, Recipe, runtime, started, wait_for};

/// Somebody who signs certificates.
pub struct Authority {
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let pem = parameters.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(parameters, key) }
    }

    /// A certificate for a host, and its key.
    fn sign(&self, host: IpAddr) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new([host.to_string()]).unwrap();
        (parameters.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// A client's certificate, and its key.
    pub fn sign_client(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        // One that bears its issuer's name passes for signed by itself.
        parameters.distinguished_name = DistinguishedName::new();
        parameters.distinguished_name.push(DnType::CommonName, "a client");
        (parameters.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// A server whose certificate is for its own address in the network of containers.
pub struct TlsServer {
    recipe: Recipe,
    container: ContainerAsync<GenericImage>,
    pub authority: Authority,
    /// Where it is, and what its certificate is for.
    pub host: IpAddr,
    published: u16,
}

/// The certificate can be made only once the server's address is known, so the server waits for it.
/// Its key must be its own and nobody else's. Works with the official images and with ours.
const SCRIPT: &str = r#"
until [ -e /tls/ready ]; do sleep 0.1; done
if id "$0" > /dev/null 2>&1; then chown "$0" /tls/server.key; fi
chmod 600 /tls/server.key
for entrypoint in docker-entrypoint.sh postgres-entrypoint mysql-entrypoint mariadb-entrypoint; do
    if command -v $entrypoint > /dev/null; then exec $entrypoint "$@"; fi
done"#;
const CERTIFY: &str = r#"mkdir /tls; printf %s "$1" > /tls/server.pem; printf %s "$2" > /tls/server.key; printf %s "$3" > /tls/ca.pem; touch /tls/ready"#;

impl TlsServer {
    pub fn of(engine: Engine) -> &'static Self {
        static SERVERS: OneEach<TlsServer> = OneEach::new();
        SERVERS.of(engine, || runtime().block_on(Self::start(engine)))
    }

    async fn start(engine: Engine) -> Self {
        let recipe = Recipe::of(engine);
        let (owner, tls): (_, &[&str]) = match engine {
            Engine::Postgres => (
                "postgres",
                &[
                    "-c",
                    "ssl=on",
                    "-c",
                    "ssl_cert_file=/tls/server.pem",
                    "-c",
                    "ssl_key_file=/tls/server.key",
                    "-c",
                    "ssl_ca_file=/tls/ca.pem",
                ],
            ),
            _ => (
                "mysql",
                &[
                    "--ssl-cert=/tls/server.pem",
                    "--ssl-key=/tls/server.key",
                    "--ssl-ca=/tls/ca.pem",
                ],
            ),
        };
        let request = recipe
            .request(recipe.image().with_entrypoint("sh"))
            .with_network("bridge")
            .with_cmd([&["-c", SCRIPT, owner], recipe.command, tls].concat());
        let container = started(engine, request.start().await);
        let host = container.get_bridge_ip_address().await.unwrap();
        let authority = Authority::new();
        let (certificate, key) = authority.sign(host);
        container
            .exec(ExecCommand::new(["sh", "-c", CERTIFY, "sh", &certificate, &key, &authority.pem]))
            .await
            .unwrap();
        let published = container.get_host_port_ipv4(recipe.port).await.unwrap();
        let server = Self { recipe, container, authority, host, published };
        wait_for(&server.root(server.recipe.maintenance)).await;
        server.make_careful_login(engine).await;
        server
    }

    /// A login that the server lets in over TLS only.
    async fn make_careful_login(&self, engine: Engine) {
        let root = Database::connect(self.root(self.recipe.maintenance)).await.unwrap();
        let statements: &[String] = &match engine {
            Engine::Postgres => {
                let rule = r#"sed -i "1i hostnossl all careful all reject" "$PGDATA/pg_hba.conf""#;
                let mut done =
                    self.container.exec(ExecCommand::new(["sh", "-c", rule])).await.unwrap();
                done.stdout_to_vec().await.unwrap();
                vec![
                    format!("CREATE ROLE careful SUPERUSER LOGIN PASSWORD '{PASSWORD}'"),
                    "SELECT pg_reload_conf()".to_owned(),
                ]
            }
            _ => vec![
                format!("CREATE USER careful IDENTIFIED BY '{PASSWORD}' REQUIRE SSL"),
                "GRANT ALL ON *.* TO careful WITH GRANT OPTION".to_owned(),
            ],
        };
        for statement in statements {
            root.execute_unprepared(statement).await.unwrap();
        }
        root.close().await.unwrap();
    }

    /// The same server under an address that its certificate is not for: this host's, in that network.
    pub fn elsewhere(&self) -> (IpAddr, u16) {
        let probe = UdpSocket::bind("0.0.0.0:0").unwrap();
        probe.connect((self.host, 9)).unwrap();
        (probe.local_addr().unwrap().ip(), self.published)
    }

    pub fn on_loopback(&self) -> (IpAddr, u16) {
        ([127, 0, 0, 1].into(), self.published)
    }

    /// At its own address, as the careful login.
    pub fn url(&self, database: &str) -> String {
        self.url_at((self.host, self.recipe.port), "careful", database)
    }

    /// The same as a login that may come in the clear.
    pub fn careless_url(&self, database: &str) -> String {
        self.url_at((self.host, self.recipe.port), self.recipe.user, database)
    }

    pub fn url_at(&self, (host, port): (IpAddr, u16), user: &str, database: &str) -> String {
        format!("{}://{user}:{PASSWORD}@{host}:{port}/{database}", self.recipe.scheme)
    }

    /// For the harness itself.
    fn root(&self, database: &str) -> String {
        self.url_at(self.on_loopback(), self.recipe.user, database)
    }

    /// As root.
    pub fn execute(&self, sql: &str) {
        runtime().block_on(async {
            let root = Database::connect(self.root(self.recipe.maintenance)).await.unwrap();
            root.execute_unprepared(sql).await.unwrap();
            root.close().await.unwrap();
        });
    }

    /// In the server's container.
    pub fn run(&self, script: &str) {
        runtime().block_on(async {
            let mut done =
                self.container.exec(ExecCommand::new(["sh", "-c", script])).await.unwrap();
            done.stdout_to_vec().await.unwrap();
        });
    }

    /// The name of a database that nobody else uses; `init` makes it.
    pub fn new_name() -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        format!("tls_{}", NEXT.fetch_add(1, Ordering::Relaxed))
    }
}
