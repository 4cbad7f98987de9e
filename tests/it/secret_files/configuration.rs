//! The configuration file as a file with secrets.

use super::*;

#[test]
fn configuration_with_a_secret_is_refused_when_it_is_open_to_others() {
    let room = Room::empty(Engine::Sqlite);
    let file = room.path().join("strongroom.toml");
    let status = |named: bool| {
        let named: &[&str] = if named { &["--config", "strongroom.toml"] } else { &[] };
        room.run(&[&["migrate", "status", "--format", "json"], named].concat())
    };
    for text in [
        "[keys]\npassphrase = \"correct horse\"\n",
        "[keys.next]\nsource = \"passphrase\"\npassphrase = \"correct horse\"\n",
        "[database]\nurl = \"postgres://u:p@127.0.0.1/d\"\n",
        "[database]\nurl = \"postgres://127.0.0.1/d?password=p\"\n",
        "[keys]\nfile = \"MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=\"\n",
    ] {
        for named in [false, true] {
            for mode in [0o644, 0o640, 0o620, 0o604, 0o660] {
                write(&file, text, mode);
                let refused = status(named);
                assert!(
                    refused.out.contains("chmod 600 strongroom.toml"),
                    "{text} {mode:o}: {refused:?}"
                );
                assert_eq!(code(refused), "file_open", "{text} {mode:o}");
            }
            for mode in [0o600, 0o400] {
                write(&file, text, mode);
                status(named).expect(0);
            }
        }
    }
    write(
        &file,
        "[keys]\npassphrase_file = \"p\"\n[database]\nurl = \"postgres://u@127.0.0.1/d\"\n",
        0o644,
    );
    status(false).expect(0);
    // What the environment says is no file's business.
    let mut command = room.command(&["migrate", "status"]);
    ran(command.env("STRONGROOM__KEYS__PASSPHRASE", "p")).expect(0);
}

#[test]
fn configuration_of_another_user_in_the_working_directory_is_read_only_if_named() {
    let room = Room::empty(Engine::Sqlite);
    let file = room.path().join("strongroom.toml");
    let status =
        |more: &[&str]| room.run(&[&["migrate", "status", "--format", "json"], more].concat());
    let named = ["--config", "strongroom.toml"];
    write(&file, "[database]\n", 0o646);
    assert_eq!(code(status(&[])), "configuration_foreign");
    status(&named).expect(0);
    fs::remove_file(&file).unwrap();
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    assert_eq!(code(status(&named)), "not_a_file");
    assert_eq!(code(status(&[])), "not_a_file");
    if !is_root() {
        return println!("only root can give files away");
    }
    write(&file, "[database]\n", 0o644);
    chown(&file, Some(NOBODY), None).unwrap();
    let refused = status(&[]);
    assert!(refused.out.contains("--config strongroom.toml"), "{refused:?}");
    assert_eq!(code(refused), "configuration_foreign");
    status(&named).expect(0);
    write(&room.path().join("mine.toml"), "[database]\n", 0o644);
    fs::remove_file(&file).unwrap();
    symlink("mine.toml", &file).unwrap();
    status(&[]).expect(0);
    std::os::unix::fs::lchown(&file, Some(NOBODY), None).unwrap();
    assert_eq!(code(status(&[])), "configuration_foreign");
}
