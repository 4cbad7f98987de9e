//! `strongroom keys accept-epoch`: a backup that was put back on purpose.

use clap::Args;
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;
use strongroom::internal::db::{self, Access};
use strongroom::internal::key::{Acceptance, Epoch};

#[derive(Debug, Args)]
pub(crate) struct AcceptEpoch {
    /// The epoch that the database has now, as the refusal names it; 0 where it has no key ring
    epoch: i64,
}

/// The number is the confirmation: whoever types it has read the refusal.
pub(super) async fn run(
    wanted: &AcceptEpoch,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    let db = session.connect(Access::Read).await?;
    let floor = session.floor()?;
    let epoch = Epoch::from(wanted.epoch);
    let has_ring = db::has_table(&db, "strongroom_manifest").await?;
    let roots = if has_ring { Some(session.roots().await?) } else { None };
    let accepted = if has_ring {
        floor.accept(&db, roots.as_deref(), epoch).await?
    } else {
        floor.accept_absent(epoch)
    };
    match accepted {
        Acceptance::Done => {}
        Acceptance::Differs { now } => return Err(differs(epoch, now)),
        Acceptance::NoFile => return Err(no_file()),
        Acceptance::Unwritable(error) => {
            return Err(Failure::new(
                Exit::Failed,
                "epoch_file",
                format!("the epoch file cannot be written: {error}"),
            )
            .help("check `keys.epoch_file`, its folder and their owner"));
        }
    }
    if floor.pin() > epoch {
        output.warning(&format!(
            "`keys.minimum_epoch` is {}, and refuses epoch {epoch} still: set it to {epoch}",
            floor.pin()
        ));
    }
    let file = floor.memory().map(|memory| memory.path().display().to_string()).unwrap_or_default();
    output.result(&json!({ "accepted": epoch, "epoch_file": file }), || {
        let what = if epoch == Epoch::NONE {
            "a database without a key ring".to_owned()
        } else {
            format!("the manifest at epoch {epoch}")
        };
        format!("this host accepts {what}; credentials and keys made after that copy are lost")
    });
    Ok(Exit::Done)
}

fn differs(epoch: Epoch, now: Epoch) -> Failure {
    let is = if now == Epoch::NONE {
        "the database has no key ring".to_owned()
    } else {
        format!("the database is at epoch {now}")
    };
    Failure::refused("epoch_differs", format!("epoch {epoch} was given, and {is}")).help(format!(
        "if that is the copy that was put back on purpose, `strongroom keys accept-epoch {now}`"
    ))
}

fn no_file() -> Failure {
    Failure::new(
        Exit::Usage,
        "configuration",
        "this host remembers no epochs: `keys.epoch_file` is not set",
    )
    .help("set `keys.epoch_file` to a path that only this program may write")
}
