//! The `strongroom` program.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    strongroom_cli::run().await
}
