//! Where the repository is.

use std::path::{Path, PathBuf};

/// The repository's folder: that of the workspace, two above the package which has these tests.
pub(crate) fn repository() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package).to_owned()
}
