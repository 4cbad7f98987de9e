//! Writing a table anew: what was plaintext is in none of its files.

use super::*;

on_every_engine!(no_file_holds_plaintext_after_scrubbing, a_table_in_the_clear_is_scrubbed_as_well);

/// Of rows that were deleted before anything was sealed.
const DELETED: &str = "deleted-plaintext-needle ";

fn scrub(host: &Host) {
    block_on(async {
        let db = host.connect().await;
        Sealing::new(host.roots.clone()).scrub(&SchemaManager::new(&db), TABLE).await.unwrap();
        db.close().await.unwrap();
    });
}

fn found(host: &Host, needle: &str) -> bool {
    let stored = host.room.everything_stored();
    let forms = [needle.to_owned(), hex::encode(needle), hex::encode_upper(needle)];
    forms.iter().any(|form| stored.windows(form.len()).any(|window| window == form.as_bytes()))
}

fn no_file_holds_plaintext_after_scrubbing(engine: Engine) {
    let host = Host::new(engine);
    // A column with a key of its own is dropped by writing the table anew, on some engines.
    host.room.execute(&TOKENS.replace(" UNIQUE", ""));
    host.insert_tokens();
    let note = DELETED.repeat(20);
    let rows: Vec<_> =
        (0..2000).map(|n| format!("('deleted-{n}', 'n', '{DELETED}{n}', '{note}')")).collect();
    let pragma = if engine == Engine::Sqlite { "PRAGMA secure_delete = OFF;" } else { "" };
    host.room.execute(&format!(
        "{pragma} INSERT INTO api_token (id, name, token, note) VALUES {}; DELETE FROM api_token WHERE id LIKE 'deleted%'",
        rows.join(", ")
    ));
    host.bring(TABLE, Phase::Sealed);
    let needles = ["plaintext-token-", "plaintext-note-", DELETED];
    assert!(
        needles.iter().any(|needle| found(&host, needle)),
        "sealing alone leaves nothing, or the search finds nothing"
    );
    for _ in 0..2 {
        scrub(&host);
        for needle in needles {
            assert!(!found(&host, needle), "{needle:?}");
        }
        host.room.run(&["keys", "verify"]).expect(0);
        assert_eq!(host.room.json(&["keys", "status"])["cells"]["sealed"], 540);
        assert_eq!(
            host.room.number("SELECT count(*) FROM api_token WHERE token_index IS NOT NULL"),
            300
        );
    }
    host.refused("UPDATE api_token SET tenant_id = 'x' WHERE id = 'row-0001'");
    host.bring(TABLE, Phase::Plain);
    assert_eq!(host.rows(), tokens());
}

fn a_table_in_the_clear_is_scrubbed_as_well(engine: Engine) {
    let host = Host::with_tokens(engine);
    let definition = host.definition();
    for phase in [Phase::Plain, Phase::Filled, Phase::Plain] {
        host.bring(TABLE, phase);
        scrub(&host);
        assert_eq!(host.rows(), tokens(), "{phase:?}");
    }
    assert_eq!(host.definition(), definition);
}
