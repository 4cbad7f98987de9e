//! Every way of reading notices cells and indexes that were moved or altered.

use super::*;

on_every_engine!(a_moved_cell_is_an_error_on_every_way_of_reading, an_altered_index_is_noticed,);

/// One way of reading a token and its first hook: what opening each of them says.
pub(super) type Reading = (&'static str, Vec<(String, Result<(), RecordError>)>);

/// Everything that sea-orm reads rows by. The rows themselves are read in any case.
pub(super) async fn every_way(room: &Strongroom) -> Vec<Reading> {
    let tokens = api_token::Entity::find().order_by_asc(api_token::Column::Id);
    let mut ways = Vec::new();
    let mut way = |name: &'static str, found: Vec<(String, Result<(), RecordError>)>| {
        ways.push((name, found));
    };

    let mut found = Vec::new();
    for row in tokens.clone().all(room).await.unwrap() {
        found.push((row.id.to_string(), room.open(Token, &row).await.map(drop)));
    }
    way("all", found);
    let mut found = Vec::new();
    for n in 1..=4 {
        let row =
            api_token::Entity::find_by_id(Uuid::from_u128(n)).one(room).await.unwrap().unwrap();
        found.push((row.id.to_string(), room.open(Token, &row).await.map(drop)));
    }
    way("one", found);
    let mut found = Vec::new();
    for row in tokens.clone().into_partial_model::<api_token::Part>().all(room).await.unwrap() {
        found.push((row.id.to_string(), room.open(Token, &row).await.map(drop)));
    }
    way("partial model", found);
    let mut found = Vec::new();
    for row in tokens.clone().paginate(room, 3).fetch_page(0).await.unwrap() {
        found.push((row.id.to_string(), room.open(Token, &row).await.map(drop)));
    }
    for row in tokens.clone().paginate(room, 3).fetch_page(1).await.unwrap() {
        found.push((row.id.to_string(), room.open(Token, &row).await.map(drop)));
    }
    way("pages", found);
    let mut rows = tokens.clone().stream(room).await.unwrap();
    let mut streamed = Vec::new();
    while let Some(row) = rows.next().await {
        streamed.push(row.unwrap());
    }
    drop(rows);
    let mut found = Vec::new();
    for row in streamed {
        found.push((row.id.to_string(), room.open(Token, &row).await.map(drop)));
    }
    way("stream", found);
    let mut found = Vec::new();
    for (row, hooks) in tokens.clone().find_with_related(webhook::Entity).all(room).await.unwrap() {
        found.push((row.id.to_string(), room.open(Token, &row).await.map(drop)));
        for hook in hooks {
            found.push((hook.id.clone(), room.open(Secret, &hook).await.map(drop)));
        }
    }
    way("find_with_related", found);
    let mut found = Vec::new();
    let hooks = webhook::Entity::find().order_by_asc(webhook::Column::Id);
    for (hook, row) in hooks.find_also_related(api_token::Entity).all(room).await.unwrap() {
        let Some(row) = row else { panic!("a cell that does not open must not lose its row") };
        found.push((row.id.to_string(), room.open(Token, &row).await.map(drop)));
        found.push((hook.id.clone(), room.open(Secret, &hook).await.map(drop)));
    }
    way("find_also_related", found);
    let mut found = Vec::new();
    for row in api_token::Entity::load()
        .with(webhook::Entity)
        .order_by_asc(api_token::Column::Id)
        .all(room)
        .await
        .unwrap()
    {
        found.push((row.id.to_string(), room.open(Token, &row).await.map(drop)));
        for hook in &row.webhooks {
            found.push((hook.id.clone(), room.open(Secret, hook).await.map(drop)));
        }
    }
    way("loader", found);
    let transaction = room.begin().await.unwrap();
    let mut found = Vec::new();
    for row in tokens.all(&transaction).await.unwrap() {
        found.push((row.id.to_string(), transaction.open(Token, &row).await.map(drop)));
    }
    transaction.commit().await.unwrap();
    way("transaction", found);
    ways
}

/// What was moved, the SQL that moves it, and the rows that do not open then.
fn moves(engine: Engine) -> Vec<(&'static str, Vec<String>, Vec<String>)> {
    let id = |n: u128| {
        let id = Uuid::from_u128(n);
        if engine == Engine::Postgres { format!("'{id}'") } else { format!("x'{}'", id.simple()) }
    };
    let shown = |n: u128| Uuid::from_u128(n).to_string();
    // MySQL reads no table that it changes, unless by way of another one.
    let cell = |column: &str, table: &str, id: &str| {
        format!("(SELECT c FROM (SELECT {column} AS c FROM {table} WHERE id = {id}) moved)")
    };
    let swap = |a: u128, b: u128| {
        vec![format!(
            "UPDATE api_token SET token = {} WHERE id = {}",
            cell("token", "api_token", &id(a)),
            id(b)
        )]
    };
    // The guards let no row change what its cells are bound to; one that is taken out and put back passes them.
    let moved = |table: &str, id: &str, change: &str| {
        vec![
            "CREATE TABLE kept AS SELECT * FROM webhook".to_owned(),
            format!("CREATE TABLE moved AS SELECT * FROM {table} WHERE id = {id}"),
            "DELETE FROM webhook".to_owned(),
            format!("DELETE FROM {table} WHERE id = {id}"),
            format!("UPDATE moved SET {change}"),
            format!("INSERT INTO {table} SELECT * FROM moved"),
            format!(
                "INSERT INTO webhook SELECT * FROM kept WHERE '{table}' <> 'webhook' OR id <> 'hook-2'"
            ),
        ]
    };
    let note = format!("UPDATE api_token SET token = note WHERE id = {}", id(1));
    let secret = format!(
        "UPDATE api_token SET token = {} WHERE id = {}",
        cell("secret", "webhook", "'hook-1'"),
        id(1)
    );
    vec![
        ("to another row of the tenant", swap(1, 2), vec![shown(2)]),
        ("to another tenant's row", swap(1, 3), vec![shown(3)]),
        ("to another column", vec![note], vec![shown(1)]),
        ("to another table", vec![secret], vec![shown(1)]),
        (
            "with its row to another tenant",
            moved("api_token", &id(1), "tenant_id = 'globex'"),
            vec![shown(1)],
        ),
        (
            "with its row to another account",
            moved("webhook", "'hook-2'", "account = 7"),
            vec!["hook-2".into()],
        ),
        (
            "with its row to another id",
            moved("webhook", "'hook-2'", "id = 'hook-9'"),
            vec!["hook-9".into()],
        ),
    ]
}

fn a_moved_cell_is_an_error_on_every_way_of_reading(engine: Engine) {
    for (what, statements, lost) in moves(engine) {
        let (_room, room) = program(engine);
        block_on(async {
            fill(&room).await;
            let noted = api_token::Entity::find_by_id(Uuid::from_u128(1))
                .one(&room)
                .await
                .unwrap()
                .unwrap();
            noted.into_active_model().with(Note, "a note").update(&room).await.unwrap();
            for (way, found) in every_way(&room).await {
                assert!(found.iter().all(|(_, opened)| opened.is_ok()), "{way}: {found:?}");
            }
            for statement in statements {
                room.execute_unprepared(&statement).await.unwrap();
            }
            for (way, found) in every_way(&room).await {
                assert!(
                    found.iter().filter(|(id, _)| !id.starts_with("hook")).count() == 4,
                    "{what}, {way}: a row is missing"
                );
                let touched = if lost.iter().any(|id| id.starts_with("hook")) {
                    way.contains("related") || way == "loader"
                } else {
                    true
                };
                assert_eq!(
                    touched,
                    found.iter().any(|(id, _)| lost.contains(id)),
                    "{what}, {way}: {found:?}"
                );
                for (id, opened) in &found {
                    let bad = matches!(opened, Err(RecordError::Unopenable { id: named, .. }) if named == id);
                    assert!(
                        if lost.contains(id) { bad } else { opened.is_ok() },
                        "{what}, {way}: {id}: {opened:?}"
                    );
                }
            }
        });
    }
}

fn an_altered_index_is_noticed(engine: Engine) {
    let (_room, room) = program(engine);
    block_on(async {
        fill(&room).await;
        let victim = room.find_by(Token, "tok_1").await.unwrap().unwrap();
        webhook::Entity::delete_by_id("hook-1").exec(&room).await.unwrap();
        api_token::Entity::delete_by_id(victim.id).exec(&room).await.unwrap();
        let theirs = Expr::value(victim.token_index);
        let moved =
            api_token::Entity::update_many().col_expr(api_token::Column::TokenIndex, theirs);
        moved.filter(api_token::Column::Id.eq(Uuid::from_u128(3))).exec(&room).await.unwrap();
        let found = room.find_by(Token, "tok_1").await;
        assert!(
            matches!(
                found,
                Err(RecordError::Unopenable { reason: OpenFailure::IndexMismatch, .. })
            ),
            "{found:?}"
        );
    });
}
