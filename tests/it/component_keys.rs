//! A key under `[component.NAME]` that a package outside the library registers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sea_orm_migration::SchemaManagerConnection;
use serde::{Deserialize, Serialize};
use strongroom::component::{PolicySteps, SignatureReplay};
use strongroom::db::{Access, Address, Lock, connect};
use strongroom::key::{FileSource, KeySource as _, Roots};
use strongroom::migration::Grants as _;
use strongroom::policy::{
    Catalog, ComponentKey, ComponentKeys, Entry, Policy, PolicyError, PolicyOptions, TableRights,
};

use crate::support::{Engine, Room, block_on, on_every_engine};

on_every_engine!(a_registered_key_is_stored_and_shown);

/// `[[component.NAME.send]]` with a topic and methods; it brings the right to read the outbox.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sends(BTreeMap<String, Vec<String>>);

impl ComponentKey for Sends {
    const NAME: &'static str = "send";

    fn parse(entry: &Entry<'_>) -> Result<Self, PolicyError> {
        let mut topics = BTreeMap::new();
        for table in entry.tables()? {
            let (mut topic, mut methods) = (None, Vec::new());
            for line in table.entries() {
                match line.key() {
                    "topic" => topic = Some(line.name()?),
                    "methods" => methods = line.some_names()?,
                    _ => return Err(line.unknown(&["topic", "methods"])),
                }
            }
            let topic = topic.ok_or_else(|| entry.invalid("a list of tables with a topic each"))?;
            let methods = methods.into_iter().map(|method| method.text).collect();
            if topics.insert(topic.text, methods).is_some() {
                return Err(entry.refused("a topic is given twice"));
            }
        }
        Ok(Self(topics))
    }

    fn describe(&self, component: &str) -> Vec<String> {
        let line = |(topic, methods): (&String, &Vec<String>)| {
            format!("{component} sends {} to {topic}", methods.join(", "))
        };
        self.0.iter().map(line).collect()
    }

    fn rights(&self) -> BTreeMap<String, TableRights> {
        let select = BTreeSet::from(["id".to_owned()]);
        BTreeMap::from([("outbox".to_owned(), TableRights { select, ..TableRights::default() })])
    }

    fn allows(&self, topic: &str) -> Option<bool> {
        Some(self.0.contains_key(topic))
    }
}

fn keys() -> ComponentKeys {
    ComponentKeys::default().with::<Sends>().with::<SignatureReplay>()
}

fn options(own: &str) -> PolicyOptions {
    let own = Some(("own.toml".to_owned(), own.to_owned()));
    PolicyOptions { own, keys: keys(), ..PolicyOptions::default() }
}

fn policy(own: &str) -> Result<Policy, String> {
    let columns = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let catalog = Catalog::from([
        ("outbox".to_owned(), columns(&["id", "body"])),
        ("invoice".to_owned(), columns(&["id"])),
    ]);
    options(own).policy(0, &catalog).map_err(|error| error.to_string())
}

const BILLING: &str = "\
[component.billing]
signature_replay = \"until_expiry\"
[[component.billing.allow]]
table = \"invoice\"
select = \"*\"
[[component.billing.send]]
topic = \"nova/conductor\"
methods = [\"charge\"]
";

#[test]
fn wrong_value_names_file_and_line() {
    for (wrong, wanted) in [
        ("[component.x]\n\nsend = 1", "own.toml:3: `send` must be a list of tables"),
        (
            "[[component.x.send]]\ntopik = \"t\"",
            "own.toml:2: unknown key `topik`: did you mean `topic`?",
        ),
        (
            "[[component.x.send]]\ntopic = \"t\"\nmethods = []",
            "own.toml:3: `methods` is an empty list",
        ),
        (
            "[component.x]\nsend = [{ topic = \"t\" }, { topic = \"t\" }]",
            "own.toml:2: `send`: a topic is given twice",
        ),
        (
            "[component.x]\nsecrets = \"all\"",
            "own.toml:2: unknown key `secrets`; registered keys: `send`, `signature_replay`",
        ),
    ] {
        assert_eq!(policy(wrong).unwrap_err(), wanted, "{wrong}");
    }
}

#[test]
fn value_is_read_back_by_its_type() {
    let policy = policy(BILLING).unwrap();
    let billing = &policy.components["billing"];
    let sent = BTreeMap::from([("nova/conductor".to_owned(), vec!["charge".to_owned()])]);
    assert_eq!(billing.key::<Sends>().unwrap(), Sends(sent));
    assert_eq!(billing.key::<SignatureReplay>().unwrap(), SignatureReplay::UntilExpiry);
    assert_eq!(billing.tables["outbox"].select, BTreeSet::from(["id".to_owned()]));
}

#[test]
fn show_and_explain_describe_the_value() {
    let policy = policy(&format!(
        "{BILLING}[component.x]\n[[component.x.allow]]\ntable = \"invoice\"\nselect = \"*\"\n\
         [deny]\nsend = {{ \"nova/compute\" = [\"billing\"] }}\n"
    ))
    .unwrap();
    let sends = "billing sends charge to nova/conductor".to_owned();
    let replays = "billing verifies a request signature as often as it comes, until it expires";
    assert_eq!(keys().show(&policy), [sends.clone(), replays.to_owned()]);
    let denied = "billing nova/compute of send: denied by the policy";
    assert_eq!(keys().explain(&policy, "billing"), [sends, replays.to_owned(), denied.to_owned()]);
    assert!(keys().explain(&policy, "x").is_empty());
    let values = keys().values(&policy.components["x"]);
    assert_eq!(values["signature_replay"], "refuse");
}

#[test]
fn denial_of_an_allowed_word_is_refused_with_both_lines() {
    for (denial, wanted) in [
        (
            "send = { \"nova/conductor\" = [\n\"billing\"] }",
            "own.toml:11: component `billing` must not `nova/conductor` by `send`, but own.toml:6 allows it",
        ),
        (
            "signature_replay = { until_expiry = [\"billing\"] }",
            "own.toml:10: component `billing` must not `until_expiry` by `signature_replay`, but own.toml:2 allows it",
        ),
        (
            "'outbox.id' = { select = [\"billing\"] }",
            "own.toml:10: component `billing` must not SELECT `outbox.id`, but own.toml:6 allows it",
        ),
        (
            "send = { t = [\"biling\"] }",
            "own.toml:10: unknown component `biling`: did you mean `billing`?",
        ),
        ("signature_replay = { refuse = [\"billing\"] }", "own.toml:10: unknown key `refuse`"),
        (
            "secrets = { all = [\"billing\"] }",
            "own.toml:10: `secrets` is neither a sealed column's label nor a column as in \"table.column\", with its quotes",
        ),
    ] {
        assert_eq!(
            policy(&format!("{BILLING}[deny]\n{denial}\n")).unwrap_err(),
            wanted,
            "{denial}"
        );
    }
}

/// The stock program does not know the key: it keeps the value, and enforces the rights.
fn a_registered_key_is_stored_and_shown(engine: Engine) {
    let room = Room::sealed(engine, &[]);
    room.execute("CREATE TABLE invoice (id int PRIMARY KEY)");
    room.execute("CREATE TABLE outbox (id int PRIMARY KEY, body int)");
    block_on(async {
        let address = Address::parse(room.url()).unwrap();
        let db = connect(&address, Access::Schema).await.unwrap();
        let source = FileSource::new(room.key_file()).root().await.unwrap();
        let lock = Arc::new(Lock::take(&db).await.unwrap());
        let steps = PolicySteps::new(
            Some(Arc::new(Roots::from(source))),
            0,
            options(BILLING),
            lock.clone(),
        );
        steps.bring(&SchemaManagerConnection::Connection(&db), 2).await.unwrap();
        drop(steps);
        Arc::into_inner(lock).unwrap().release().await.unwrap();
        db.close().await.unwrap();
    });
    let billing = room.json(&["policy", "show"])["components"]["billing"].clone();
    assert_eq!(billing["send"]["nova/conductor"][0], "charge");
    assert_eq!(billing["tables"]["outbox"]["select"][0], "id");
    room.run(&["policy", "check"]).expect(0);
}
