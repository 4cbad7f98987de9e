//! Two replicas of the service over one PostgreSQL, against two bare handlers that do the same statements on pools of the
//! same logins and sizes, in turns; and what one component's flood does to another's requests.
//!
//! Bare is what would be written in an hour: an axum route, the same TLS, one SELECT, its columns as JSON. It opens no
//! cell, knows no caller, keeps no log and no count.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark prints, and fails loudly"
)]

#[path = "../tests/it/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    unreachable_pub,
    reason = "the tests use more of it"
)]
#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "as in the tests"
)]
mod support;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Path, State};
use axum::routing::get;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use sea_orm::sqlx::postgres::{PgPool, PgPoolOptions};
use sea_orm::sqlx::{self, Row as _};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, FromQueryResult, QueryFilter as _, QuerySelect as _,
    SqlxPostgresConnector,
};
use serde_json::{Value, json};
use strongroom_entity::Sealed;
use strongroom_entity::credential::{AccessKey, Column, Entity};
use support::{Engine, Room, Service, block_on, numbered_rows, runtime};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

const ROWS: usize = 1000;
const ROUNDS: usize = 6;
const ROUND: Duration = Duration::from_secs(4);
/// Connections of each component to each replica.
const CONNECTIONS: usize = 4;

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    if let Some(place) = arguments.iter().position(|argument| argument == "--bare") {
        return block_on(bare(&arguments[place + 1], &PathBuf::from(&arguments[place + 2])));
    }
    let room = Room::sealed(Engine::Postgres, &numbered_rows(ROWS));
    let settings = "connection_age_seconds = 3600.0\nqueue_per_connection = 10\n";
    room.serve(settings).stop();
    let quiet = [("RUST_LOG", "strongroom=info,strongroom::access=off")];
    let replicas = [Service::start_as(&room, &quiet), Service::start_as(&room, &quiet)];
    // The server counts the sessions of a login together, and here twice as many programs use it.
    for component in ["api", "auditor"] {
        let login = room.json(&["policy", "login", component])["user"].as_str().unwrap().to_owned();
        room.execute(&format!("ALTER ROLE {login} CONNECTION LIMIT 200"));
    }
    let bare = [Bare::start(&room), Bare::start(&room)];
    let urls = |bases: [&str; 2]| bases.map(|url| url.rsplit("//").next().unwrap().to_owned());
    let (ours, theirs) =
        (urls([&replicas[0].url, &replicas[1].url]), urls([&bare[0].url, &bare[1].url]));
    reads(&room, &ours, &theirs);
    reveals(&room, &ours);
    flood(&room, &ours);
}

/// Four components read by id, without secrets.
fn reads(room: &Room, ours: &[String; 2], theirs: &[String; 2]) {
    let readers = ["api", "compute", "metadata", "auditor"];
    let ask = |component: &str, n: usize| match component {
        "auditor" => "/v1/credentials?limit=1&after=row-000010".to_owned(),
        _ => format!("/v1/credentials/row-{:06}", n % ROWS),
    };
    let bare_by = |how: &'static str| {
        move |component: &str, n: usize| match component {
            "auditor" => "/list".to_owned(),
            _ => format!("/{how}/row-{:06}", n % ROWS),
        }
    };
    let (mut service, mut orm, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let found = [
            load(room, ours, &readers, ask, ROUND),
            load(room, theirs, &readers, bare_by("orm"), ROUND),
            load(room, theirs, &readers, bare_by("one"), ROUND),
        ];
        if round > 0 {
            let [one, two, three] = found;
            service.push(one);
            orm.push(two);
            bare.push(three);
        }
    }
    let ratio = |bare: &[Found]| {
        median(service.iter().zip(bare).map(|(one, other)| one.rate / other.rate).collect())
    };
    println!(
        "PostgreSQL, two replicas, 4 components, {} connections over TLS, {ROUNDS} rounds of {ROUND:?} in turns",
        8 * CONNECTIONS
    );
    println!("reads, service: {}", Found::median(&service));
    println!("reads, bare, sea-orm: {}", Found::median(&orm));
    println!("reads, bare, sqlx:    {}", Found::median(&bare));
    println!("reads: {:.2}x of bare by sea-orm, {:.2}x of bare by sqlx", ratio(&orm), ratio(&bare));
}

/// The same with secrets: each answer waits for its audit row to be committed.
fn reveals(room: &Room, ours: &[String; 2]) {
    let ask = |_: &str, n: usize| format!("/v1/credentials/row-{:06}?reveal=true", n % ROWS);
    let found = load(room, ours, &["api", "metadata"], ask, ROUND);
    println!("reveals, an audit row committed before each: {found}");
}

/// `api` deletes rows that somebody holds locked, ten times as many as its pool and queue take; `compute` reads.
fn flood(room: &Room, ours: &[String; 2]) {
    let reader = |room: &Room| {
        load(
            room,
            ours,
            &["compute"],
            |_, n| format!("/v1/credentials/row-{:06}", 100 + n % 800),
            ROUND,
        )
    };
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    reader(room);
    let (stop, turned_away) =
        (Arc::new(AtomicBool::new(false)), Arc::new(std::sync::Mutex::new([0_u64; 4])));
    for _ in 0..ROUNDS {
        alone.push(reader(room));
        stop.store(false, Ordering::Release);
        let holder = Holder::lock(room);
        let flooding: Vec<_> = (0..220)
            .map(|n| {
                runtime().spawn(delete(
                    client(room, "api"),
                    ours[n % 2].clone(),
                    n,
                    stop.clone(),
                    turned_away.clone(),
                ))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(500));
        beside.push(reader(room));
        stop.store(true, Ordering::Release);
        for one in flooding {
            block_on(one).unwrap();
        }
        holder.release();
    }
    let ratio = median(alone.iter().zip(&beside).map(|(one, other)| other.p99 / one.p99).collect());
    let [done, limit, busy, other] = *turned_away.lock().unwrap();
    println!("compute alone:            {}", Found::median(&alone));
    println!("compute beside api's flood: {}", Found::median(&beside));
    println!(
        "api meanwhile, 220 clients at once: {done} answered, {limit} times 429, {busy} times 503, {other} others"
    );
    println!("compute's p99: {ratio:.2}x of its own without the flood");
}

async fn delete(
    tls: TlsConnector,
    to: String,
    n: usize,
    stop: Arc<AtomicBool>,
    tally: Arc<std::sync::Mutex<[u64; 4]>>,
) {
    let mut connection = connect(&tls, &to).await;
    while !stop.load(Ordering::Acquire) {
        let status =
            request(&mut connection, "DELETE", &format!("/v1/credentials/row-{:06}", n % 50))
                .await
                .0;
        let place = match status {
            200..=299 | 404 => 0,
            429 => 1,
            503 => 2,
            _ => 3,
        };
        tally.lock().unwrap()[place] += 1;
        // As Retry-After asks, but for the sake of the flood ten times as often.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A transaction that holds the rows that are to be deleted, and then lets them be.
struct Holder(sqlx::PgConnection);

impl Holder {
    fn lock(room: &Room) -> Self {
        block_on(async {
            let mut session =
                <sqlx::PgConnection as sqlx::Connection>::connect(room.url()).await.unwrap();
            sqlx::raw_sql("BEGIN; SELECT id FROM credential WHERE id < 'row-000050' FOR UPDATE")
                .execute(&mut session)
                .await
                .unwrap();
            Self(session)
        })
    }

    /// Nobody waits for them any more, so no row is deleted.
    fn release(mut self) {
        block_on(async {
            sqlx::raw_sql("ROLLBACK").execute(&mut self.0).await.unwrap();
        });
    }
}

#[derive(Clone)]
struct Found {
    rate: f64,
    p50: f64,
    p99: f64,
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.0} requests/s, p50 {:.2} ms, p99 {:.2} ms", self.rate, self.p50, self.p99)
    }
}

impl Found {
    fn median(rounds: &[Self]) -> Self {
        let of = |part: fn(&Self) -> f64| median(rounds.iter().map(part).collect());
        Self {
            rate: of(|found| found.rate),
            p50: of(|found| found.p50),
            p99: of(|found| found.p99),
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// As many requests as there is time for, each connection one after the other.
fn load(
    room: &Room,
    to: &[String; 2],
    components: &[&str],
    path: impl Fn(&str, usize) -> String + Copy + Send + Sync + 'static,
    time: Duration,
) -> Found {
    block_on(async {
        let begun = Instant::now();
        let mut tasks = Vec::new();
        for component in components {
            for n in 0..2 * CONNECTIONS {
                let (tls, to, component) =
                    (client(room, component), to[n % 2].clone(), (*component).to_owned());
                tasks.push(tokio::spawn(async move {
                    let mut connection = connect(&tls, &to).await;
                    let mut took = Vec::new();
                    while begun.elapsed() < time {
                        let asked = Instant::now();
                        let (status, body) = request(
                            &mut connection,
                            "GET",
                            &path(&component, n * 131 + took.len()),
                        )
                        .await;
                        assert_eq!(status, 200, "{component}: {}", String::from_utf8_lossy(&body));
                        took.push(asked.elapsed().as_secs_f64() * 1e3);
                    }
                    took
                }));
            }
        }
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.unwrap());
        }
        let seconds = begun.elapsed().as_secs_f64();
        all.sort_by(f64::total_cmp);
        let at = |part: f64| all[(all.len() as f64 * part) as usize];
        Found { rate: all.len() as f64 / seconds, p50: at(0.5), p99: at(0.99) }
    })
}

fn client(room: &Room, component: &str) -> TlsConnector {
    let file = |name: String| room.path().join("certs").join(name);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(file("ca.pem".to_owned())).unwrap()).unwrap();
    let chain = vec![CertificateDer::from_pem_file(file(format!("{component}.pem"))).unwrap()];
    let key = PrivateKeyDer::from_pem_file(file(format!("{component}.key"))).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    TlsConnector::from(Arc::new(
        config.with_root_certificates(roots).with_client_auth_cert(chain, key).unwrap(),
    ))
}

async fn connect(tls: &TlsConnector, to: &str) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(to).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let stream = tls.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn request(
    connection: &mut SendRequest<Full<Bytes>>,
    method: &str,
    path: &str,
) -> (u16, Bytes) {
    let request = hyper::Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .body(Full::default())
        .unwrap();
    connection.ready().await.unwrap();
    let answer = connection.send_request(request).await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.into_body().collect().await.unwrap().to_bytes())
}

/// This program again, as the bare handler.
struct Bare {
    child: Child,
    url: String,
}

impl Bare {
    fn start(room: &Room) -> Self {
        let address =
            json!({ "api": room.address_of("api"), "auditor": room.address_of("auditor") });
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--bare", &address.to_string()]).arg(room.path().join("certs"));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(
            &mut std::io::BufReader::new(child.stdout.take().unwrap()),
            &mut line,
        )
        .unwrap();
        Self { child, url: line.trim().to_owned() }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[derive(Clone)]
struct Pools {
    one: PgPool,
    list: PgPool,
}

async fn bare(addresses: &str, certificates: &std::path::Path) {
    let addresses: Value = serde_json::from_str(addresses).unwrap();
    let pool = |name: &str, size| {
        PgPoolOptions::new()
            .max_connections(size)
            .connect_lazy(addresses[name].as_str().unwrap())
            .unwrap()
    };
    // As many as a replica's pools of api, compute and metadata have together.
    let pools = Pools { one: pool("api", 20), list: pool("auditor", 2) };
    let router = axum::Router::new()
        .route("/one/{id}", get(one))
        .route("/orm/{id}", get(one_by_orm))
        .route("/list", get(list))
        .with_state(pools);
    let chain = vec![CertificateDer::from_pem_file(certificates.join("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(certificates.join("server.key")).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(
        config.with_no_client_auth().with_single_cert(chain, key).unwrap(),
    ));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("https://{}", listener.local_addr().unwrap());
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (acceptor, router) = (acceptor.clone(), router.clone());
        tokio::spawn(async move {
            let stream = acceptor.accept(stream).await.unwrap();
            let service = TowerToHyperService::new(router);
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// The statement that the service makes, by sea-orm, as the service makes it.
async fn one_by_orm(State(pools): State<Pools>, Path(id): Path<String>) -> Json<Value> {
    let columns = [
        Column::Id,
        Column::UserId,
        Column::ProjectId,
        Column::Type,
        Column::Extra,
        Column::AccessKeySealed,
    ];
    let db = SqlxPostgresConnector::from_sqlx_postgres_pool(pools.one);
    let select = Entity::find().select_only().columns(columns).filter(Column::Id.eq(id));
    let row = select.into_model::<OneRow>().one(&db).await.expect("an answer").expect("a row");
    let access = hex::encode(&row.access_key_sealed.as_bytes()[..16]);
    Json(
        json!({ "id": row.id, "user_id": row.user_id, "project_id": row.project_id, "type": row.r#type, "extra": row.extra, "access": access }),
    )
}

#[derive(FromQueryResult)]
struct OneRow {
    id: String,
    user_id: String,
    project_id: Option<String>,
    r#type: String,
    extra: Option<String>,
    access_key_sealed: Sealed<AccessKey>,
}

/// The same, by the driver alone.
async fn one(State(pools): State<Pools>, Path(id): Path<String>) -> Json<Value> {
    let sql = "SELECT id, user_id, project_id, type, extra, access_key_sealed FROM credential WHERE id = $1";
    let row = sqlx::query(sql).bind(id).fetch_one(&pools.one).await.expect("a row");
    let text = |name: &str| row.get::<Option<String>, _>(name);
    let cell: Vec<u8> = row.get("access_key_sealed");
    Json(
        json!({ "id": text("id"), "user_id": text("user_id"), "project_id": text("project_id"), "type": text("type"), "access": hex::encode(&cell[..16]) }),
    )
}

async fn list(State(pools): State<Pools>) -> Json<Value> {
    let sql = "SELECT id, user_id, project_id, type, created_at::text FROM credential WHERE id > $1 ORDER BY id LIMIT 2";
    let row = sqlx::query(sql).bind("row-000010").fetch_one(&pools.list).await.expect("a row");
    let text = |name: &str| row.get::<Option<String>, _>(name);
    Json(
        json!({ "credentials": [{ "id": text("id"), "user_id": text("user_id"), "project_id": text("project_id"), "type": text("type"), "created_at": text("created_at") }] }),
    )
}
