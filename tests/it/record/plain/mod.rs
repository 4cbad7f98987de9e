//! What sealing costs in lines: the entities of the example `tenants`, and what they would be in the clear.

mod api_token;
mod webhook;

use std::fs;

use sea_orm::{EntityName as _, EntityTrait, Iterable as _};

use crate::support::repository;

/// Two sealed columns, of which one is searched for; then one.
#[test]
fn a_sealed_entity_differs_from_a_plain_one_in_few_lines() {
    assert_eq!(api_token::Entity.table_name(), "api_token");
    assert_eq!((columns::<api_token::Entity>(), columns::<webhook::Entity>()), (5, 5));
    for (entity, most) in [("api_token", 6), ("webhook", 4)] {
        let sealed = code(&format!("examples/tenants/{entity}.rs"));
        let plain = code(&format!("tests/it/record/plain/{entity}.rs"));
        let added = sealed.len() - in_common(&sealed, &plain);
        assert!((1..=most).contains(&added), "{entity}: {added} lines are not in the plain one");
    }
}

#[test]
fn call_sites_name_no_key_no_nonce_and_no_context() {
    let program = code("examples/tenants/main.rs");
    let serve = program.iter().skip_while(|line| !line.starts_with("async fn serve"));
    let serve: Vec<_> = serve.take_while(|line| line.as_str() != "}").collect();
    assert!(
        serve.iter().any(|line| line.contains(".with(Token"))
            && serve.iter().any(|line| line.contains(".open("))
    );
    let barred = [
        "key",
        "keys",
        "ring",
        "root",
        "roots",
        "share",
        "scope",
        "generation",
        "nonce",
        "salt",
        "context",
        "binding",
        "aad",
    ];
    for line in serve {
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        assert!(!words.any(|word| barred.contains(&word.to_lowercase().as_str())), "{line}");
    }
}

fn columns<E: EntityTrait>() -> usize {
    E::Column::iter().count()
}

/// Lines without comments and blanks.
fn code(path: &str) -> Vec<String> {
    let text = fs::read_to_string(repository().join(path)).unwrap();
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    text.lines().filter(is_code).map(str::to_owned).collect()
}

/// The length of the longest sequence of lines that both have in this order.
fn in_common(one: &[String], other: &[String]) -> usize {
    let mut before = vec![0; other.len() + 1];
    for line in one {
        let mut row = vec![0];
        for (at, against) in other.iter().enumerate() {
            let longest =
                if line == against { before[at] + 1 } else { before[at + 1].max(row[at]) };
            row.push(longest);
        }
        before = row;
    }
    before[other.len()]
}
