//! `strongroom serve --dev`: from an empty folder to an answer, and whose folder it may be.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ran, Running, ran};

fn command(at: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
    command.current_dir(at).args(["serve", "--dev"]).args(arguments).env_remove("RUST_LOG");
    command
}

/// Starts that end by themselves.
fn refused(at: &Path, arguments: &[&str]) -> Ran {
    ran(&mut command(at, &[&["--listen", "127.0.0.1:0"], arguments].concat()))
}

struct Dev {
    running: Running,
    printed: Value,
}

impl Dev {
    fn start(at: &Path, arguments: &[&str]) -> Self {
        let any_port: &[&str] =
            if arguments.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        Self::by(&mut command(at, &[arguments, any_port, &["--format", "json"]].concat()))
    }

    fn by(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut err = child.stderr.take().unwrap();
        let printed = serde_json::from_str(&line).unwrap_or(Value::Null);
        if printed["curl"].is_null() {
            let mut said = String::new();
            err.read_to_string(&mut said).unwrap();
            panic!("not started: {line} {said}");
        }
        std::thread::spawn(move || std::io::copy(&mut err, &mut std::io::sink()));
        Self { running: Running(child), printed }
    }

    /// Types the printed line into a shell, in a folder that has nothing to do with it.
    fn curl(&self) -> Value {
        let elsewhere = TempDir::new().unwrap();
        let mut shell = Command::new("sh");
        shell.current_dir(elsewhere.path()).args(["-c", self.printed["curl"].as_str().unwrap()]);
        // Nothing listens there.
        shell.env("https_proxy", "http://127.0.0.1:9");
        let ran = ran(&mut shell).expect(0);
        assert!(ran.out.ends_with("}\n"), "{ran:?}");
        ran.json()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.running.0.kill();
        let _ = self.running.0.wait();
    }
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().mode() & 0o7777
}

fn everything_in(folder: &Path) -> Vec<PathBuf> {
    let entries: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let below = entries
        .iter()
        .filter(|path| path.is_dir())
        .flat_map(|path| everything_in(path))
        .collect::<Vec<_>>();
    entries.into_iter().chain(below).collect()
}

#[test]
fn an_empty_folder_answers_the_printed_line_within_seconds() {
    let at = TempDir::new().unwrap();
    let begun = Instant::now();
    let dev = Dev::start(at.path(), &[]);
    let made = dev.curl();
    println!("from an empty folder to an answered curl: {:.2} s", begun.elapsed().as_secs_f32());
    assert!(begun.elapsed() < Duration::from_secs(30), "much longer than a busy machine explains");
    assert_eq!(
        (made["user_id"].as_str(), made["project_id"].as_str()),
        (Some("alice"), Some("web")),
        "{made}"
    );
    let folder = at.path().join("strongroom-dev");
    assert_eq!(mode(&folder), 0o700);
    let found = everything_in(&folder);
    assert!(found.len() > 10, "{found:?}");
    for path in found {
        assert_eq!(mode(&path), if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
    let beside: Vec<_> =
        fs::read_dir(at.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside, ["strongroom-dev"]);
}

/// What a person reads is one line that begins with `curl`.
#[test]
fn text_has_one_curl_line_and_the_next_command() {
    let at = TempDir::new().unwrap();
    let mut child = command(at.path(), &["--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(out.next().unwrap().starts_with("listening on https://127.0.0.1:"));
    let curl = out.find(|line| !line.is_empty()).unwrap();
    assert!(curl.starts_with("curl "), "{curl}");
    let mut err = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let next = err.find(|line| line.contains("Next: ")).unwrap();
    let typed = next
        .split('`')
        .nth(1)
        .unwrap()
        .replace("strongroom ", &format!("{} ", env!("CARGO_BIN_EXE_strongroom")));
    ran(Command::new("sh").current_dir("/").args(["-c", &typed])).expect(0);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_second_start_reuses_everything() {
    let at = TempDir::new().unwrap();
    let kept =
        ["strongroom.key", "strongroom.toml", "certs/ca.pem", "certs/server.pem", "certs/api.key"];
    let read = || kept.map(|name| fs::read(at.path().join("strongroom-dev").join(name)).unwrap());
    let first = Dev::start(at.path(), &[]).curl();
    let before = read();
    let dev = Dev::start(at.path(), &["--dir", "./strongroom-dev/"]);
    dev.curl();
    assert_eq!(read(), before);
    let listed = credentials(&dev);
    assert!(listed.as_array().unwrap().iter().any(|row| row["id"] == first["id"]), "{listed}");
}

/// What other commands see by the folder's configuration.
fn credentials(dev: &Dev) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
    command.args([
        "credential",
        "list",
        "--format",
        "json",
        "--config",
        dev.printed["config"].as_str().unwrap(),
    ]);
    ran(&mut command).expect(0).json()["credentials"].clone()
}

#[test]
fn a_second_program_in_the_folder_is_refused_while_the_first_runs() {
    let at = TempDir::new().unwrap();
    let dev = Dev::start(at.path(), &[]);
    let second = refused(at.path(), &[]).expect(5);
    assert!(second.err.contains("another `strongroom serve --dev` uses"), "{second:?}");
    dev.curl();
}

/// SIGKILL after ever more of the first start, until one gets to its end.
#[test]
fn a_start_that_was_killed_is_continued_by_the_same_command() {
    let at = TempDir::new().unwrap();
    for milliseconds in [3, 8, 15, 30, 60, 100, 150, 200, 300, 400, 600, 900, 1300] {
        let folder = at.path().join(milliseconds.to_string());
        let dir = folder.to_str().unwrap();
        let first = command(at.path(), &["--dir", dir, "--listen", "127.0.0.1:0"])
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        std::thread::sleep(Duration::from_millis(milliseconds));
        Running(first.unwrap()).kill();
        Dev::start(at.path(), &["--dir", dir]).curl();
        let left: Vec<_> = everything_in(&folder)
            .into_iter()
            .filter(|path| path.extension().is_some_and(|end| end == "tmp"))
            .collect();
        assert!(left.is_empty(), "after {milliseconds} ms: {left:?}");
    }
}

#[test]
fn folders_that_are_not_its_own_are_refused() {
    let at = TempDir::new().unwrap();
    let made = at.path().join("made");
    Dev::start(at.path(), &["--dir", "made"]).curl();
    fs::create_dir(at.path().join("empty")).unwrap();
    fs::set_permissions(at.path().join("empty"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(at.path().join("file"), "").unwrap();
    symlink("made", at.path().join("link")).unwrap();
    symlink("nowhere", at.path().join("dangling")).unwrap();
    for (name, says) in [
        ("empty", "did not make"),
        (".", "0"),
        ("file", "is not a folder"),
        ("link", "is a symbolic link"),
        ("link/", "is a symbolic link"),
        ("link/.", "is a symbolic link"),
        ("dangling", "is a symbolic link"),
    ] {
        let ran = refused(at.path(), &["--dir", name]).expect(4);
        assert!(ran.err.contains(says), "{name}: {ran:?}");
        assert!(ran.err.contains("help: "), "{name}: {ran:?}");
    }
    for open in [0o770, 0o702, 0o755, 0o711] {
        fs::set_permissions(&made, fs::Permissions::from_mode(open)).unwrap();
        let ran = refused(at.path(), &["--dir", "made"]).expect(4);
        assert!(ran.err.contains("gives its group or others rights"), "{open:o}: {ran:?}");
    }
    fs::set_permissions(&made, fs::Permissions::from_mode(0o700)).unwrap();
    Dev::start(at.path(), &["--dir", "made"]).curl();
}

#[test]
fn files_that_are_not_its_owners_alone_are_refused() {
    let at = TempDir::new().unwrap();
    let made = at.path().join("strongroom-dev");
    Dev::start(at.path(), &[]).curl();
    let key = made.join("certs/api.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let open = refused(at.path(), &[]).expect(4);
    assert!(open.err.contains("api.key has mode 0644"), "{open:?}");
    let typed = open.err.split('`').find(|part| part.starts_with("chmod ")).unwrap();
    ran(Command::new("sh").args(["-c", typed])).expect(0);
    let (database, elsewhere) = (made.join("strongroom.db"), at.path().join("elsewhere.db"));
    fs::rename(&database, &elsewhere).unwrap();
    symlink(&elsewhere, &database).unwrap();
    let linked = refused(at.path(), &[]).expect(4);
    assert!(linked.err.contains("strongroom.db is a symbolic link"), "{linked:?}");
    fs::rename(&elsewhere, &database).unwrap();
    Dev::start(at.path(), &[]).curl();
    // Only root can give files away.
    if std::os::unix::fs::chown(&made, Some(1), None).is_ok() {
        let ran = refused(at.path(), &[]).expect(4);
        assert!(ran.err.contains("belongs to user 1"), "{ran:?}");
        std::os::unix::fs::chown(
            &made,
            Some(made.parent().unwrap().metadata().unwrap().uid()),
            None,
        )
        .unwrap();
        std::os::unix::fs::chown(&database, Some(1), None).unwrap();
        let ran = refused(at.path(), &[]).expect(4);
        assert!(ran.err.contains("strongroom.db belongs to user 1"), "{ran:?}");
    }
}

#[test]
fn an_address_off_loopback_is_refused_and_nothing_is_made() {
    let at = TempDir::new().unwrap();
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let ran = ran(&mut command(at.path(), &["--listen", listen])).expect(4);
        assert!(ran.err.contains("is not loopback"), "{ran:?}");
    }
    assert_eq!(fs::read_dir(at.path()).unwrap().count(), 0);
    Dev::start(at.path(), &[]).curl();
    edit(at.path(), "127.0.0.1:8443", "0.0.0.0:0");
    let ran = ran(&mut command(at.path(), &[])).expect(4);
    assert!(ran.err.contains("is not loopback"), "{ran:?}");
}

fn edit(at: &Path, from: &str, to: &str) {
    let file = at.join("strongroom-dev/strongroom.toml");
    let before = fs::read_to_string(&file).unwrap();
    assert!(before.contains(from), "{before}");
    fs::write(&file, before.replace(from, to)).unwrap();
}

#[test]
fn a_taken_port_is_refused_with_a_command_that_works() {
    let at = TempDir::new().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let refused = ran(&mut command(at.path(), &["--dir", "a b", "--listen", &listen])).expect(1);
    assert!(refused.err.contains(&format!("cannot listen on {listen}")), "{refused:?}");
    let typed = refused.err.split('`').nth(1).unwrap();
    let typed = typed.replacen(
        "strongroom",
        &format!("exec {} --format json", env!("CARGO_BIN_EXE_strongroom")),
        1,
    );
    Dev::by(Command::new("sh").current_dir(at.path()).args(["-c", &typed])).curl();
}

/// A shell on an operator's machine may have the real database's address.
#[test]
fn the_environment_and_the_working_folder_are_left_alone() {
    let at = TempDir::new().unwrap();
    fs::write(at.path().join("strongroom.toml"), "not = 'ours'").unwrap();
    let mut start = command(at.path(), &["--listen", "127.0.0.1:0", "--format", "json"]);
    let other = format!("sqlite://{}?mode=rwc", at.path().join("other.db").display());
    start
        .env("DATABASE_URL", &other)
        .env("STRONGROOM__DATABASE__URL", &other)
        .env("STRONGROOM__KEYS__FILE", "other.key");
    Dev::by(&mut start).curl();
    assert!(!at.path().join("other.db").exists() && !at.path().join("other.key").exists());
    let given = refused(at.path(), &["--config", "strongroom.toml"]).expect(2);
    assert!(given.err.contains("--config"), "{given:?}");
}

#[test]
fn a_configuration_that_leads_elsewhere_is_refused_and_what_is_added_is_kept() {
    let at = TempDir::new().unwrap();
    Dev::start(at.path(), &[]).curl();
    edit(at.path(), "replicas = 1", "replicas = 1\nmax_connections = 7");
    Dev::start(at.path(), &[]).curl();
    for (from, to) in [
        ("strongroom.db?", "../other.db?"),
        ("certs/server.key", "server.key"),
        ("strongroom.local", "other.local"),
    ] {
        edit(at.path(), from, to);
        let ran = refused(at.path(), &[]).expect(4);
        assert!(ran.err.contains("is not what `strongroom serve --dev` set"), "{to}: {ran:?}");
        edit(at.path(), to, from);
    }
    fs::rename(at.path().join("strongroom-dev"), at.path().join("moved")).unwrap();
    let moved = refused(at.path(), &["--dir", "moved"]).expect(4);
    let typed = moved.err.split('`').find(|part| part.starts_with("rm ")).unwrap();
    ran(Command::new("sh").args(["-c", typed])).expect(0);
    assert_eq!(
        credentials(&Dev::start(at.path(), &["--dir", "moved"])).as_array().unwrap().len(),
        2
    );
}

#[test]
fn a_key_that_is_gone_is_not_made_anew() {
    let at = TempDir::new().unwrap();
    Dev::start(at.path(), &[]).curl();
    let key = at.path().join("strongroom-dev/strongroom.key");
    fs::remove_file(&key).unwrap();
    refused(at.path(), &[]).expect(4);
    assert!(!key.exists());
}

#[test]
fn odd_folder_names_and_other_loopback_addresses_work() {
    let at = TempDir::new().unwrap();
    Dev::start(at.path(), &["--dir", r#"it's a: "dir" \ 100%41?#&$HOME"#]).curl();
    Dev::start(at.path(), &["--dir", "other", "--listen", "127.0.0.2:0"]).curl();
    Dev::start(at.path(), &["--dir", "other", "--listen", "localhost:0"]).curl();
    let control = refused(at.path(), &["--dir", "a\nb"]).expect(2);
    assert!(control.err.contains("control characters"), "{control:?}");
}

#[test]
fn ctrl_c_stops_it_at_once() {
    let at = TempDir::new().unwrap();
    let mut dev = Dev::start(at.path(), &[]);
    dev.curl();
    let begun = Instant::now();
    assert!(
        Command::new("kill")
            .args(["-INT", &dev.running.0.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(dev.running.0.wait().unwrap().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
