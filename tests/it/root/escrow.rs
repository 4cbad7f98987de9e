//! The escrow of a root, and a database restored with it.

use super::*;

/// The rehearsal of the README: the database's dump and the escrowed root are all that is left.
fn restored_from_a_dump_and_the_escrow(engine: Engine, copy: impl FnOnce(&Room, &Room)) {
    let rows = nasty_rows();
    let room = Room::sealed(engine, &rows);
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let escrow = ["keys", "escrow", "--recipient", &recipient, "--out", "root.age"];
    room.run(&escrow).expect(0);
    room.run(&escrow).expect(1);
    fs::remove_file(room.key_file()).unwrap();

    let new = Room::empty(engine);
    copy(&room, &new);
    let armored = fs::read(room.path().join("root.age")).unwrap();
    let decryptor = age::Decryptor::new(age::armor::ArmoredReader::new(&armored[..])).unwrap();
    let mut key = String::new();
    decryptor
        .decrypt(std::iter::once(&identity as &dyn age::Identity))
        .unwrap()
        .read_to_string(&mut key)
        .unwrap();
    fs::remove_file(new.key_file()).unwrap();
    private(&new.key_file(), &key);
    new.run(&["keys", "verify"]).expect(0);
    for row in &rows {
        assert_eq!(
            new.json(&["credential", "show", "--id", &row.id, "--reveal"])["secret"],
            row.secret_key
        );
    }
    if engine != Engine::Sqlite {
        // The copy has the original's ring, and so its accounts' names; it must not take them away from it.
        assert!(
            new.run(&["migrate", "down", "--to", "1", "--yes"])
                .expect(4)
                .err
                .contains("must not share them")
        );
        fs::write(new.path().join("strongroom.toml"), "[policy]\nprefix = \"copy_\"\n").unwrap();
    }
    new.run(&["migrate", "down", "--to", "1", "--yes"]).expect(0);
    assert_eq!(new.plaintext(), rows);
    private(&room.key_file(), &key);
    room.run(&["policy", "check"]).expect(0);
}

#[test]
fn restored_from_a_dump_and_the_escrow_on_sqlite() {
    restored_from_a_dump_and_the_escrow(Engine::Sqlite, |from, to| {
        fs::remove_file(to.path().join("strongroom.db")).unwrap();
        from.execute(&format!("VACUUM INTO '{}'", to.path().join("strongroom.db").display()));
    });
}

#[test]
fn restored_from_a_dump_and_the_escrow_on_postgresql() {
    restored_from_a_dump_and_the_escrow(Engine::Postgres, |from, to| {
        let pipe = format!(
            "pg_dump --no-privileges -h /tmp -U postgres {} | psql -h /tmp -U postgres -v ON_ERROR_STOP=1 {} > /dev/null && echo done",
            from.database(),
            to.database()
        );
        assert_eq!(from.printed_by_the_server_host(&pipe), "done");
    });
}

#[test]
fn restored_from_a_dump_and_the_escrow_on_mariadb() {
    restored_from_a_dump_and_the_escrow(Engine::MariaDb, |from, to| {
        let pipe = format!(
            "mariadb-dump -uroot -ponly-for-tests --single-transaction {} | mariadb -uroot -ponly-for-tests {} && echo done",
            from.database(),
            to.database()
        );
        assert_eq!(from.printed_by_the_server_host(&pipe), "done");
    });
}

/// Whatever opens the escrow outside this project opens ours.
#[test]
fn the_escrow_is_what_age_itself_reads() {
    let room = Room::empty(Engine::Sqlite);
    let folder = room.path();
    let Ok(made) = Command::new("age-keygen").arg("-o").arg(folder.join("identity")).output()
    else {
        panic!("no age: run `make age`")
    };
    let said = String::from_utf8(made.stderr).unwrap();
    let recipient = said.trim().rsplit(' ').next().unwrap();
    room.run(&["keys", "escrow", "--recipient", recipient, "--out", "root.age"]).expect(0);
    let opened = Command::new("age")
        .args(["--decrypt", "-i"])
        .arg(folder.join("identity"))
        .arg(folder.join("root.age"))
        .output();
    assert_eq!(opened.unwrap().stdout, fs::read(room.key_file()).unwrap());
}
