//! The `strongroom` program.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    strongroom::cli::run().await
}
