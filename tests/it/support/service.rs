//! A running service, and callers of it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use strongroom_migration::Engine;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use super::Room;
use super::process::{Running, until};

/// A `strongroom serve` of its own.
pub struct Service {
    running: Option<Running>,
    pub url: String,
    pub certificates: PathBuf,
    said: Arc<Mutex<String>>,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The status, and the code of a refusal with what refused it.
    pub fn verdict(&self) -> String {
        let body: Value = serde_json::from_str(&self.text).unwrap_or_default();
        let body = if body["error"].is_object() { body["error"].clone() } else { body };
        let code = body["reason"].as_str().or(body["code"].as_str()).unwrap_or_default();
        let barrier =
            body["barrier"].as_str().map_or(String::new(), |barrier| format!(" {barrier}"));
        format!("{} {code}{barrier}", self.status).trim().to_owned()
    }
}

impl Room {
    /// Certificates for every component, and a service with settings of `[server]` added to the usual ones.
    pub fn serve(&self, settings: &str) -> Service {
        self.run(&["dev-certs", "--out", "certs"]).expect(0);
        let file = self.path().join("strongroom.toml");
        let before = std::fs::read_to_string(&file).unwrap_or_default();
        if !before.contains("[server]") {
            let ours = format!(
                "{before}\n[server]\nlisten = \"127.0.0.1:0\"\ncertificate = \"certs/server.pem\"\nprivate_key_file = \"certs/server.key\"\n\
                 client_ca = \"certs/ca.pem\"\ndrain_seconds = 0.5\n{settings}\n[server.identity]\ntrust_domain = \"strongroom.local\"\n"
            );
            std::fs::write(file, ours).unwrap();
        }
        Service::start_with(self, &[])
    }

    /// The address by the service's own login.
    pub fn service_address(&self) -> String {
        if self.engine == Engine::Sqlite {
            self.url().to_owned()
        } else {
            self.address_of("strongroom")
        }
    }
}

impl Service {
    /// With settings of `[server]` from the environment.
    pub fn start_with(room: &Room, settings: &[(&str, &str)]) -> Self {
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| (format!("STRONGROOM__SERVER__{name}"), *value))
            .collect();
        let settings: Vec<_> =
            settings.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        Self::start_as(room, &settings)
    }

    /// With this environment beside the usual.
    pub fn start_as(room: &Room, environment: &[(&str, &str)]) -> Self {
        let mut command = room.command(&["serve", "--format", "json"]);
        command.env("RUST_LOG", "trace").envs(environment.iter().copied());
        Self::start_by(command, room)
    }

    pub fn start_by(command: Command, room: &Room) -> Self {
        Self::start_at(command, room, &room.service_address())
    }

    /// With its database at this address.
    pub fn start_at(mut command: Command, room: &Room, address: &str) -> Self {
        command.env("STRONGROOM__DATABASE__URL", address);
        let certificates = room.path().join("certs");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (hears, mut from) = (said.clone(), BufReader::new(child.stderr.take().unwrap()));
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                hears.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let running = Running(child);
        let Ok(told) = serde_json::from_str::<Value>(&first) else {
            panic!("not started: {first} {}", said.lock().unwrap())
        };
        let url =
            told["listening"].as_str().unwrap_or_else(|| panic!("not started: {told}")).to_owned();
        Self { running: Some(running), url, certificates, said }
    }

    /// Everything that it logged so far, at the level `trace`.
    pub fn log(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// A caller as a component.
    pub fn caller(&self, component: &str) -> Caller {
        let (certificate, key) = (format!("{component}.pem"), format!("{component}.key"));
        self.caller_with(Some((&self.certificates.join(certificate), &self.certificates.join(key))))
    }

    pub fn caller_with(&self, pair: Option<(&Path, &Path)>) -> Caller {
        Caller::new(&self.url, Some(&self.certificates.join("ca.pem")), pair)
    }

    pub fn signal(&self, name: &str) {
        let id = self.running.as_ref().unwrap().0.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Tells it to stop, and waits until it has.
    pub fn stop(mut self) -> String {
        self.signal("-TERM");
        let mut running = self.running.take().unwrap();
        until("the service stops", || running.is_over());
        assert_eq!(running.0.wait().unwrap().code(), Some(0), "{}", self.log());
        self.log()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill();
        }
    }
}

/// Somebody who asks.
#[derive(Clone)]
pub struct Caller {
    agent: ureq::Agent,
    pub url: String,
}

fn pem(file: &Path) -> Vec<Certificate<'static>> {
    let text = std::fs::read(file).unwrap();
    let items = parse_pem(&text).map(|item| match item.unwrap() {
        PemItem::Certificate(certificate) => certificate,
        _ => panic!("{} holds something else", file.display()),
    });
    items.collect()
}

impl Caller {
    pub fn new(url: &str, authority: Option<&Path>, pair: Option<(&Path, &Path)>) -> Self {
        let mut tls = TlsConfig::builder();
        if let Some(authority) = authority {
            tls = tls.root_certs(RootCerts::new_with_certs(&pem(authority)));
        }
        if let Some((certificate, key)) = pair {
            let key = PrivateKey::from_pem(&std::fs::read(key).unwrap()).unwrap();
            tls = tls.client_cert(Some(ClientCert::new_with_certs(&pem(certificate), key)));
        }
        let config = ureq::Agent::config_builder()
            .tls_config(tls.build())
            .timeout_global(Some(Duration::from_secs(40)));
        Self {
            agent: config.http_status_as_error(false).max_redirects(0).build().into(),
            url: url.to_owned(),
        }
    }

    pub fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, ureq::Error> {
        let request =
            ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        let mut answer = match body {
            Some(body) => self.agent.run(
                request.header("content-type", "application/json").body(body.to_string()).unwrap(),
            )?,
            None => self.agent.run(request.body(()).unwrap())?,
        };
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let mut text = String::new();
        answer.body_mut().as_reader().read_to_string(&mut text).map_err(ureq::Error::Io)?;
        Ok(Answer { status, headers, text })
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None).unwrap()
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, Some(body)).unwrap()
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, None).unwrap()
    }
}
