//! `strongroom init`.

use serde_json::json;

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::session::Session;
use strongroom::crypto::RootKey;
use strongroom::internal::db::{self, Access, Address, DatabaseConnection};
use strongroom::internal::key::{KeySource, RingError, Roots, SourceError, ring_root};

/// Makes the key file and the database where they are missing; never a key for a database that has a ring.
pub(super) async fn run(session: &Session, output: &Output) -> Result<Exit, Failure> {
    let address = session.address()?;
    let source = session.config.key_source()?;
    let root = root_of(&*source).await?;
    if let Some(db) = existing(session, &address).await? {
        refuse_beside_a_ring(session, &db, root.as_ref(), &*source).await?;
    }
    let key_made = root.is_none() && source.make_if_missing().await?;
    // The key that was made must be good, too.
    source.root().await?;
    let database_made = db::create_if_missing(&address).await?;
    let path = source.file().map(|path| path.display().to_string());
    let document = json!({
        "key_file": path, "key_made": key_made, "database": address.to_string(), "database_made": database_made,
    });
    let made = |made| if made { "made" } else { "was there" };
    output.result(&document, || {
        let key = path.as_ref().map_or_else(
            || "key       from the environment: was there".to_owned(),
            |path| format!("key file  {path}: {}", made(key_made)),
        );
        format!("{key}\ndatabase  {address}: {}", made(database_made))
    });
    if let Some(path) = path.filter(|_| key_made) {
        output.note(&format!(
            "\nBack up {path} now, away from the database and its backups: without it nothing sealed can\n\
             ever be opened, and with it everything can. Next: `strongroom migrate up --yes`"
        ));
    }
    Ok(Exit::Done)
}

/// Returns the source's root, `None` where it has none yet. Refuses a bad one.
async fn root_of(source: &dyn KeySource) -> Result<Option<RootKey>, Failure> {
    match source.root().await {
        Ok(root) => Ok(Some(root)),
        Err(SourceError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Connects to the database if there is one. Any doubt is an error, because a ring may be in it.
async fn existing(
    session: &Session,
    address: &Address,
) -> Result<Option<DatabaseConnection>, Failure> {
    if db::sqlite_file(address).is_some_and(|file| !file.exists()) {
        return Ok(None);
    }
    match session.connect_to(address, Access::Read).await {
        Ok(db) => Ok(Some(db)),
        Err(error) if db::is_missing_database(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Because a second root opens no cell, and the next operator would take it for the lost one.
async fn refuse_beside_a_ring(
    session: &Session,
    db: &DatabaseConnection,
    root: Option<&RootKey>,
    source: &dyn KeySource,
) -> Result<(), Failure> {
    let has = async |table| db::has_table(db, table).await;
    if !has("strongroom_manifest").await? && !has("strongroom_key").await? {
        return Ok(());
    }
    let Some(wanted) = ring_root(db).await? else { return Ok(()) };
    let Some(root) = root else { return Err(missing(source, &wanted)) };
    if hex::encode(root.id()) == wanted {
        return Ok(());
    }
    let roots: Roots = match session.config.next_key_source()? {
        Some(next) => Roots::from(source.root().await?).with_next(next.root().await?),
        None => Roots::from(source.root().await?),
    };
    roots.find(&wanted).map(drop).map_err(RingError::into)
}

fn missing(source: &dyn KeySource, wanted: &str) -> Failure {
    let what = source
        .settings()
        .into_iter()
        .map(|(name, value)| format!("keys.{name} = {value:?}"))
        .collect::<Vec<_>>();
    let message = format!(
        "the database has a key ring under root {wanted}, and there is no key at {}: none is made beside a ring",
        what.join(", ")
    );
    Failure::refused("key_missing", message)
        .help("restore the key from its backup, or set `[keys]` to the source of that root; nothing was made")
}
