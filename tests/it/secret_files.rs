//! Files with secrets are held to one rule, wherever they are named.

mod configuration;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Engine, Ran, Room, numbered_rows, ran, run_with_input};

const KEY: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=\n";
const NOBODY: u32 = 65534;

fn write(path: &Path, text: &str, mode: u32) {
    let _ = fs::remove_file(path);
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[track_caller]
fn code(ran: Ran) -> String {
    let ran = ran.expect(4);
    ran.json()["error"]["code"].as_str().unwrap().to_owned()
}

fn is_root() -> bool {
    let printed = Command::new("id").arg("-u").output().unwrap().stdout;
    printed == b"0\n"
}

/// A setting or option that names a file with a secret, and a command that reads it.
struct Named {
    file: &'static str,
    text: String,
    setting: Option<&'static str>,
    arguments: &'static [&'static str],
    /// What it is called when it is open to others.
    open: &'static str,
}

/// Every place where a file with a secret is named.
fn everywhere(room: &Room) -> Vec<Named> {
    let named = |file, text: &str, setting, arguments, open| Named {
        file,
        text: text.to_owned(),
        setting,
        arguments,
        open,
    };
    let url = room.url();
    let certificate = fs::read_to_string(room.path().join("certs/api.key")).unwrap();
    vec![
        named("a.key", KEY, Some("KEYS__FILE"), &["init"], "key_readable"),
        named("a.url", url, Some("DATABASE__URL_FILE"), &["migrate", "status"], "file_open"),
        named(
            "a.passphrase",
            "correct horse",
            Some("KEYS__PASSPHRASE_FILE"),
            &["init"],
            "key_readable",
        ),
        named(
            "a.client.key",
            &certificate,
            Some("SERVICE__PRIVATE_KEY_FILE"),
            &[
                "credential",
                "list",
                "--service",
                "https://127.0.0.1:1",
                "--certificate",
                "certs/api.pem",
            ],
            "file_open",
        ),
    ]
}

impl Named {
    fn run(&self, room: &Room) -> Ran {
        let mut command = room.command(self.arguments);
        command.args(["--format", "json"]);
        if let Some(setting) = self.setting {
            command.env(format!("STRONGROOM__{setting}"), self.file);
            if setting == "DATABASE__URL_FILE" {
                command.env_remove("STRONGROOM__DATABASE__URL");
            }
            if setting == "KEYS__PASSPHRASE_FILE" {
                command
                    .env("STRONGROOM__KEYS__SOURCE", "passphrase")
                    .env("STRONGROOM__KEYS__SEALED_ROOT", "a.root");
            }
        }
        ran(&mut command)
    }

    fn path(&self, room: &Room) -> PathBuf {
        room.path().join(self.file)
    }
}

fn room_with_everything() -> Room {
    let room = Room::empty(Engine::Sqlite);
    room.run(&["migrate", "up", "--to", "1"]).expect(0);
    room.run(&["dev-certs", "--out", "certs"]).expect(0);
    fs::create_dir(room.path().join("keystone")).unwrap();
    write(&room.path().join("keystone/0"), KEY, 0o600);
    room
}

#[test]
fn secret_file_open_to_others_is_refused_wherever_it_is_named() {
    let room = room_with_everything();
    for named in everywhere(&room) {
        for mode in [0o644, 0o640, 0o604, 0o620, 0o602, 0o666, 0o440, 0o610] {
            write(&named.path(&room), &named.text, mode);
            let refused = named.run(&room);
            assert!(refused.all().contains("chmod 600"), "{} {mode:o}: {refused:?}", named.file);
            assert_eq!(code(refused), named.open, "{} {mode:o}", named.file);
        }
        for mode in [0o600, 0o400] {
            write(&named.path(&room), &named.text, mode);
            assert_ne!(named.run(&room).code, 4, "{} {mode:o}: {:?}", named.file, named.run(&room));
        }
    }
}

#[test]
fn private_key_of_the_service_is_held_to_the_same_rule() {
    let room = Room::sealed(Engine::Sqlite, &[]);
    room.run(&["dev-certs", "--out", "certs"]).expect(0);
    let key = room.path().join("certs/server.key");
    let serve = || {
        let mut command = room.command(&["serve", "--format", "json"]);
        // An address that no host has, so that it ends where the files are good.
        for (name, value) in [
            ("LISTEN", "192.0.2.1:1"),
            ("CERTIFICATE", "certs/server.pem"),
            ("PRIVATE_KEY_FILE", "certs/server.key"),
            ("CLIENT_CA", "certs/ca.pem"),
            ("IDENTITY__TRUST_DOMAIN", "strongroom.local"),
        ] {
            command.env(format!("STRONGROOM__SERVER__{name}"), value);
        }
        ran(&mut command)
    };
    serve().expect(1);
    let text = fs::read_to_string(&key).unwrap();
    for mode in [0o640, 0o604] {
        write(&key, &text, mode);
        let refused = serve();
        assert!(refused.all().contains("chmod 600"), "{refused:?}");
        refused.expect(4);
    }
    write(&key, &text, 0o600);
    fs::set_permissions(room.path().join("certs"), Permissions::from_mode(0o777)).unwrap();
    assert!(serve().expect(4).all().contains("others may write to the folder"));
    fs::set_permissions(room.path().join("certs"), Permissions::from_mode(0o700)).unwrap();
    for file in ["server.key", "server.pem", "ca.pem"] {
        let path = room.path().join("certs").join(file);
        let kept = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(Command::new("mkfifo").args(["-m", "600"]).arg(&path).status().unwrap().success());
        assert!(serve().expect(4).all().contains("is not a regular file"), "{file}");
        fs::remove_file(&path).unwrap();
        fs::write(&path, kept).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }
    serve().expect(1);
}

#[test]
fn secret_file_that_is_no_regular_file_is_refused_without_waiting() {
    let room = room_with_everything();
    for named in everywhere(&room) {
        let path = named.path(&room);
        let kinds: [(&str, &dyn Fn()); 4] = [
            ("pipe", &|| {
                assert!(
                    Command::new("mkfifo")
                        .args(["-m", "600"])
                        .arg(&path)
                        .status()
                        .unwrap()
                        .success()
                );
            }),
            ("folder", &|| fs::create_dir(&path).unwrap()),
            ("device", &|| symlink("/dev/zero", &path).unwrap()),
            ("socket", &|| drop(UnixListener::bind(&path).unwrap())),
        ];
        for (kind, make) in kinds {
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
            make();
            let begun = Instant::now();
            let refused = named.run(&room);
            assert!(begun.elapsed() < Duration::from_secs(5), "{} {kind}", named.file);
            assert!(
                refused.all().contains("is not a regular file"),
                "{} {kind}: {refused:?}",
                named.file
            );
            refused.expect(4);
        }
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn secret_file_of_another_user_or_in_an_open_folder_is_refused() {
    if !is_root() {
        return println!("only root can give files away");
    }
    let room = room_with_everything();
    for named in everywhere(&room) {
        let path = named.path(&room);
        write(&path, &named.text, 0o600);
        chown(&path, Some(NOBODY), None).unwrap();
        let refused = named.run(&room).expect(4);
        assert!(refused.all().contains("belongs to another user (uid 65534)"), "{refused:?}");

        // A symbolic link that another user put there.
        write(&room.path().join("target"), &named.text, 0o600);
        fs::remove_file(&path).unwrap();
        symlink("target", &path).unwrap();
        assert_ne!(named.run(&room).code, 4, "{}", named.file);
        std::os::unix::fs::lchown(&path, Some(NOBODY), None).unwrap();
        named.run(&room).expect(4);
        fs::remove_file(&path).unwrap();

        write(&path, &named.text, 0o600);
        for (mode, refused) in [
            (0o777, true),
            (0o770, true),
            (0o702, true),
            (0o1777, false),
            (0o755, false),
            (0o700, false),
        ] {
            fs::set_permissions(room.path(), Permissions::from_mode(mode)).unwrap();
            let ran = named.run(&room);
            // Another file of the same command may be in that folder, and be refused for it: a key, a certificate's key.
            assert_eq!(ran.code == 4, refused, "{} {mode:o}: {ran:?}", named.file);
            assert!(
                !refused || ran.all().contains("others may write to the folder"),
                "{} {mode:o}: {ran:?}",
                named.file
            );
        }
        chown(room.path(), Some(NOBODY), None).unwrap();
        named.run(&room).expect(4);
        chown(room.path(), Some(0), None).unwrap();
    }
}

/// systemd shows mode 0440: the group's bits are the mask of an access list.
#[test]
fn credential_of_the_service_manager_may_have_mode_0440() {
    if !is_root() {
        return println!("a credential belongs to root");
    }
    let room = room_with_everything();
    let folder = room.path().join("credentials");
    fs::create_dir(&folder).unwrap();
    let run = |key: &str, credentials: &Path| {
        let mut command = room.command(&["init", "--format", "json"]);
        ran(command.env("STRONGROOM__KEYS__FILE", key).env("CREDENTIALS_DIRECTORY", credentials))
    };
    write(&folder.join("root-key"), KEY, 0o440);
    run("credentials/root-key", &folder).expect(0);
    symlink("credentials/root-key", room.path().join("linked")).unwrap();
    run("linked", &folder).expect(0);
    run("credentials/root-key", room.path().join("certs").as_path()).expect(4);
    run("credentials/root-key", Path::new("")).expect(4);
    for mode in [0o444, 0o460, 0o640] {
        write(&folder.join("root-key"), KEY, mode);
        run("credentials/root-key", &folder).expect(4);
    }
    write(&folder.join("root-key"), KEY, 0o440);
    chown(folder.join("root-key"), Some(NOBODY), None).unwrap();
    run("credentials/root-key", &folder).expect(4);
}

#[test]
fn passphrase_counts_wholly_or_is_refused() {
    let room = Room::empty(Engine::Sqlite);
    let init = |root: &str, given: Option<&str>, file: Option<&str>| {
        let mut command = room.command(&["init", "--format", "json"]);
        command
            .env("STRONGROOM__KEYS__SOURCE", "passphrase")
            .env("STRONGROOM__KEYS__SEALED_ROOT", root);
        if let Some(text) = given {
            command.env("STRONGROOM__KEYS__PASSPHRASE", text);
        }
        if let Some(text) = file {
            write(&room.path().join("passphrase"), text, 0o600);
            command.env("STRONGROOM__KEYS__PASSPHRASE_FILE", "passphrase");
        }
        ran(&mut command)
    };
    let longest = "p".repeat(4096);
    for text in ["p".repeat(4097), "p".repeat(6000), "p".repeat(100_000)] {
        init("long.root", Some(&text), None).expect(4);
        init("long.root", None, Some(&text)).expect(4);
        init("long.root", None, Some(&(text + "\n"))).expect(4);
    }
    assert!(!room.path().join("long.root").exists());
    init("a.root", None, Some(&(longest.clone() + "\n"))).expect(0);
    init("a.root", Some(&longest), None).expect(0);
    assert_eq!(
        code(init("a.root", Some(&longest.replacen('p', "q", 1)), None)),
        "wrong_passphrase"
    );
    assert_eq!(
        code(init("a.root", Some(&(longest[1..].to_owned() + "q")), None)),
        "wrong_passphrase"
    );
    let file = format!("{}\n", "p".repeat(4097));
    fs::write(
        room.path().join("strongroom.toml"),
        format!("[keys]\nsource = \"passphrase\"\npassphrase = \"{}\"\n", file.trim()),
    )
    .unwrap();
    fs::set_permissions(room.path().join("strongroom.toml"), Permissions::from_mode(0o600))
        .unwrap();
    assert_eq!(code(room.run(&["init", "--format", "json"])), "passphrase_too_long");
}

#[test]
fn plan_is_written_for_its_owner_alone_and_only_to_a_regular_file() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(1));
    let mode =
        |file: &str| fs::metadata(room.path().join(file)).unwrap().permissions().mode() & 0o7777;
    room.run(&["policy", "plan", "--out", "plan.json"]).expect(0);
    assert_eq!(mode("plan.json"), 0o600);
    write(&room.path().join("old.json"), "{}", 0o644);
    symlink("old.json", room.path().join("link.json")).unwrap();
    room.run(&["policy", "plan", "--out", "link.json"]).expect(0);
    assert_eq!(mode("old.json"), 0o600);
    room.run(&["policy", "apply", "link.json", "--yes"]).expect(0);
    assert!(Command::new("mkfifo").arg(room.path().join("pipe")).status().unwrap().success());
    for arguments in
        [&["policy", "plan", "--out", "pipe"][..], &["policy", "plan", "--out", "/dev/null"]]
    {
        room.run(arguments).expect(4);
    }
    assert_ne!(room.run(&["policy", "apply", "pipe", "--yes"]).code, 0);
    assert!(!Path::new("/dev/null").is_file());
}

#[test]
fn secret_from_standard_input_is_no_file() {
    let room = Room::empty(Engine::Sqlite);
    room.run(&["migrate", "up", "--to", "1"]).expect(0);
    let create = ["credential", "create", "--user-id", "u", "--type", "totp", "--secret-file", "-"];
    run_with_input(&room, &create, "secret").expect(0);
}

/// An argument is named for one command: a file that others may read is used, and said; a pipe of the shell's is used.
#[test]
fn secret_file_of_an_argument_that_is_open_is_used_with_a_warning() {
    let room = Room::sealed(Engine::Sqlite, &[]);
    let create = |file: &str| {
        room.run(&[
            "credential",
            "create",
            "--user-id",
            "u",
            "--type",
            "totp",
            "--secret-file",
            file,
            "--format",
            "json",
        ])
        .expect(0)
    };
    fs::write(room.path().join("a.secret"), "open").unwrap();
    let made = create("a.secret");
    assert!(made.err.contains("a.secret is open to others"), "{}", made.err);
    assert_eq!(made.json()["secret"], "open");
    fs::set_permissions(room.path().join("a.secret"), fs::Permissions::from_mode(0o600)).unwrap();
    assert!(!create("a.secret").err.contains("a.secret"));
    room.run(&["credential", "create", "--user-id", "u", "--type", "totp", "--secret-file", "."])
        .expect(1);
}
