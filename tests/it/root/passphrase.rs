//! A root under a passphrase.

use super::*;

#[test]
fn passphrase_opens_the_root_that_rewrap_sealed() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(3));
    let passphrase = room.path().join("passphrase");
    private(&passphrase, "correct horse battery staple\n");
    let done = room.json(&["keys", "rewrap", "--to", "passphrase-file:passphrase"]);
    assert_eq!(done["configuration"]["keys"]["sealed_root"], "passphrase.root");
    let source = [("SOURCE", "passphrase"), ("PASSPHRASE_FILE", "passphrase")];
    let verify = ["keys", "verify", "--format", "json"];
    with(&room, &source, &verify).expect(0);
    let sealed_root = fs::read_to_string(room.path().join("passphrase.root")).unwrap();
    assert!(sealed_root.contains("argon2id"), "{sealed_root}");
    with(
        &room,
        &[
            ("SOURCE", "passphrase"),
            ("PASSPHRASE", "correct horse battery staple"),
            ("SEALED_ROOT", "passphrase.root"),
        ],
        &verify,
    )
    .expect(0);

    let code = |ran: Ran| ran.expect(4).json()["error"]["code"].as_str().unwrap().to_owned();
    private(&passphrase, "incorrect horse battery staple\n");
    assert_eq!(code(with(&room, &source, &verify)), "wrong_passphrase");
    private(&passphrase, "\n");
    assert_eq!(code(with(&room, &source, &verify)), "key_malformed");
    private(&passphrase, "correct horse battery staple");
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(code(with(&room, &source, &verify)), "key_readable");
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
    let dear = sealed_root.replace("\"memory_kib\":65536", "\"memory_kib\":4294967295");
    private(&room.path().join("passphrase.root"), &dear);
    assert_eq!(code(with(&room, &source, &verify)), "key_malformed");
    fs::remove_file(room.path().join("passphrase.root")).unwrap();
    assert_eq!(code(with(&room, &source, &verify)), "key_missing");
    with(&room, &[("SOURCE", "passphrase")], &verify).expect(2);
}

#[test]
fn init_under_a_passphrase_seals_one_root() {
    let room = Room::empty(Engine::Sqlite);
    private(&room.path().join("passphrase"), "correct horse battery staple");
    let source = [
        ("SOURCE", "passphrase"),
        ("PASSPHRASE_FILE", "passphrase"),
        ("SEALED_ROOT", "elsewhere.root"),
    ];
    assert_eq!(
        with(&room, &source, &["init", "--format", "json"]).expect(0).json()["key_file"],
        "elsewhere.root"
    );
    assert_eq!(
        with(&room, &source, &["init", "--format", "json"]).expect(0).json()["key_made"],
        false
    );
    with(&room, &source, &["migrate", "up", "--yes"]).expect(0);
    room.run(&["keys", "status"]).expect(4);
}
