//! `strongroom init`.

use serde_json::json;

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::session::Session;
use crate::db;
use crate::key::SourceError;

/// Makes the key file and the database where they are missing. Makes no tables.
pub(super) async fn run(session: &Session, output: &Output) -> Result<Exit, Failure> {
    let address = session.address()?;
    let path = session.config.key_path().display().to_string();
    let key_made = match session.config.key_file().make() {
        Ok(_) => true,
        Err(SourceError::Exists(_)) => session.root().await.map(|_| false)?,
        Err(error) => return Err(error.into()),
    };
    let database_made = db::create_if_missing(&address).await?;
    let document =
        json!({ "key_file": path, "key_made": key_made, "database": address.to_string(), "database_made": database_made });
    output.result(&document, || {
        let key = if key_made { "made" } else { "was there" };
        let database = if database_made { "made" } else { "was there" };
        format!("key file  {path}: {key}\ndatabase  {address}: {database}")
    });
    if key_made {
        output.note(&format!(
            "\nBack up {path} now, away from the database and its backups: without it nothing sealed can\n\
             ever be opened, and with it everything can. Next: `strongroom migrate up`"
        ));
    }
    Ok(Exit::Done)
}
