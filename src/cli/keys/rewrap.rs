//! `strongroom keys rewrap`: the ring under another root.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::config::sealed_root_beside;
use crate::counted::counted;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::{Session, release};
use strongroom::crypto::RootKey;
use strongroom::internal::db::{self, Access, DatabaseConnection};
use strongroom::key::{
    EnvironmentSource, FileSource, KeySource, Passphrase, PassphraseSource, Rewrapped, Ring,
    RingAccess, RingError, Roots,
};
use strongroom::reseal;

#[derive(Debug, Args)]
pub(crate) struct Rewrap {
    #[arg(
        long,
        value_name = "SOURCE",
        help = "Where the next root comes from: file:PATH, passphrase-file:PATH or env:NAME; a missing file is made"
    )]
    to: Target,
}

/// A key source as it is typed.
#[derive(Debug, Clone)]
enum Target {
    File(PathBuf),
    PassphraseFile(PathBuf),
    Environment(String),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some((_, "")) | None => {
                Err("write file:PATH, passphrase-file:PATH or env:NAME".to_owned())
            }
            Some(("file", path)) => Ok(Self::File(path.into())),
            Some(("passphrase-file", path)) => Ok(Self::PassphraseFile(path.into())),
            Some(("env", name)) => Ok(Self::Environment(name.to_owned())),
            Some((other, _)) => Err(format!(
                "this version has no key source `{other}`: write file, passphrase-file or env"
            )),
        }
    }
}

impl Target {
    fn source(&self) -> Box<dyn KeySource> {
        match self {
            Self::File(path) => Box::new(FileSource::new(path)),
            Self::Environment(name) => Box::new(EnvironmentSource::new(name)),
            Self::PassphraseFile(path) => {
                let passphrase = Passphrase::File(path.clone());
                let sealed_root = sealed_root_beside(&passphrase);
                Box::new(PassphraseSource::new(passphrase, sealed_root))
            }
        }
    }
}

/// Run again after a crash it goes on, whichever of the two roots the ring is under by then.
pub(super) async fn run(
    rewrap: &Rewrap,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    let db = session.connect_to_ours(Access::Write).await?;
    if !db::has_table(&db, "strongroom_manifest").await? {
        return Err(RingError::Missing.into());
    }
    let source = rewrap.to.source();
    refuse_older(source.as_ref(), session, &db).await?;
    let made = source.make_if_missing().await?;
    let to = source.root().await?;
    let (to_id, settings) = (hex::encode(to.id()), source.settings());
    let Some(from) = other_root(session, &to).await? else {
        Ring::load(&db, RingAccess::new(Roots::from(to), session.floor()?)).await?;
        let document = document(Rewrapped::default(), &to_id, &settings);
        output
            .result(&document, || "the ring is under that root already: nothing to do".to_owned());
        return Ok(Exit::Done);
    };
    let access = RingAccess::new(Roots::from(from).with_next(to), session.floor()?);
    let roots = access.roots();
    let lock = session.lock(&db).await?;
    let done = reseal::rewrap(&db, &access, &lock, roots.current(), roots.find(&to_id)?).await;
    release(lock).await;
    let done = done?;
    // The proof: the ring loads under the new root alone.
    Ring::load(&db, RingAccess::new(Roots::from(source.root().await?), session.floor()?)).await?;
    remember_beside(source.as_ref(), session, &db).await?;
    output.result(&document(done, &to_id, &settings), || text(done, &to_id, &settings));
    if let Some(file) = source.file().filter(|_| made) {
        output.note(&format!(
            "\nBack up {} now: without it nothing sealed can ever be opened.",
            file.display()
        ));
    }
    output.note(
        "Programs that do not know the new root refuse to go on: change their configuration, or give it to them\n\
         beforehand under [keys.next]. Keep the old key for backups of the database, and make a new escrow.",
    );
    Ok(if done.damaged > 0 { Exit::Left } else { Exit::Done })
}

/// The epoch file is named after the key file: what this host has seen goes along to the next one.
async fn remember_beside(
    next: &dyn KeySource,
    session: &Session,
    db: &DatabaseConnection,
) -> Result<(), Failure> {
    let beside = next
        .file()
        .and_then(|file| session.config.epoch_floor_after(file, &session.address().ok()?));
    if let Some(floor) = beside {
        Ring::load(db, RingAccess::new(Roots::from(next.root().await?), floor))
            .await?
            .remember(db)
            .await?;
    }
    Ok(())
}

/// Judges the ring under whichever of the roots it is, while nothing is written: no key file is made for a database that
/// went back.
async fn refuse_older(
    next: &dyn KeySource,
    session: &Session,
    db: &DatabaseConnection,
) -> Result<(), Failure> {
    let current = session.config.key_source()?.root().await?;
    let roots = match (next.root().await, session.config.next_key_source()?) {
        (Ok(next), _) => Roots::from(current).with_next(next),
        (Err(_), Some(next)) => Roots::from(current).with_next(next.root().await?),
        (Err(_), None) => Roots::from(current),
    };
    Ring::load(db, RingAccess::new(roots, session.floor()?)).await?;
    Ok(())
}

/// The root that the ring is, or was, under: of the configured ones that which it is not going to. Once the
/// configuration was changed, that is the one in `[keys.next]`.
async fn other_root(session: &Session, to: &RootKey) -> Result<Option<RootKey>, Failure> {
    let current = session.config.key_source()?.root().await?;
    if current.id() != to.id() {
        return Ok(Some(current));
    }
    let Some(next) = session.config.next_key_source()? else { return Ok(None) };
    Ok(Some(next.root().await?).filter(|next| next.id() != to.id()))
}

type Settings = [(&'static str, String)];

fn document(done: Rewrapped, root_id: &str, settings: &Settings) -> Value {
    let settings: Map<_, _> = settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())))
        .collect();
    json!({ "keys": done.keys, "damaged": done.damaged, "root_id": root_id, "configuration": { "keys": settings } })
}

fn text(done: Rewrapped, root_id: &str, settings: &Settings) -> String {
    let keys = counted(done.keys, "key is", "keys are");
    let mut lines = vec![format!("{keys} wrapped under root {root_id}; no cell was touched")];
    if done.damaged > 0 {
        lines.push(counted(
            done.damaged,
            "key does not unwrap and stays as it is",
            "keys do not unwrap and stay as they are",
        ));
    }
    lines.push("now set in the configuration:\n\n[keys]".to_owned());
    lines.extend(settings.iter().map(|(name, value)| format!("{name} = {value:?}")));
    lines.join("\n")
}
