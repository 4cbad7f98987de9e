//! `strongroom init`.

use serde_json::json;

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::session::Session;
use crate::db;

/// Makes the key file and the database where they are missing. Makes no tables.
pub(super) async fn run(session: &Session, output: &Output) -> Result<Exit, Failure> {
    let address = session.address()?;
    let source = session.config.key_source()?;
    let key_made = source.make_if_missing().await?;
    // One that was there already must be good.
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
