//! `strongroom keys escrow`: the root for an offline recipient.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use age::armor::{ArmoredWriter, Format};
use age::x25519::Recipient;
use clap::Args;
use serde_json::json;

use crate::counted::counted;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;
use strongroom::internal::key::text_of;

#[derive(Debug, Args)]
pub(crate) struct Escrow {
    /// Who may open it: an age public key (age1…); may be given more than once
    #[arg(long, value_name = "AGE_KEY", required = true)]
    recipient: Vec<Recipient>,
    /// The file to make
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// What `age --decrypt` makes of it is a key file as the key source `file` reads it, whatever the source was.
pub(super) async fn run(
    escrow: &Escrow,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    let root = session.config.key_source()?.root().await?;
    let id = hex::encode(root.id());
    let encrypted = encrypt(&escrow.recipient, text_of(&root).as_bytes()).map_err(|error| {
        Failure::new(Exit::Failed, "escrow", format!("the root was not encrypted: {error}"))
    })?;
    write_new(&escrow.out, &encrypted).map_err(|error| {
        let failure = Failure::new(
            Exit::Failed,
            "escrow",
            format!("{} cannot be written: {error}", escrow.out.display()),
        );
        failure.help("an existing file is never overwritten: name another")
    })?;
    let (file, recipients) = (escrow.out.display().to_string(), escrow.recipient.len());
    output.result(&json!({ "file": file, "root_id": id, "recipients": recipients }), || {
        format!(
            "root {id} is in {file}, for {}; `age --decrypt -i IDENTITY {file}` makes a key file of it",
            counted(recipients as u64, "recipient", "recipients")
        )
    });
    Ok(Exit::Done)
}

/// In armour, so that it can be printed on paper.
fn encrypt(recipients: &[Recipient], text: &[u8]) -> io::Result<Vec<u8>> {
    let recipients = recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(recipients).map_err(io::Error::other)?;
    let mut writer =
        encryptor.wrap_output(ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?)?;
    writer.write_all(text)?;
    writer.finish()?.finish()
}

fn write_new(path: &PathBuf, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
