//! Why a database or its sessions cannot be used as they are.

/// A database that this program does not work with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnfitDatabase {
    /// The session does not have what was set.
    #[error("the server, or a pooler before it, does not keep {0}")]
    Setting(&'static str),
    /// A SQLite file in UTF-16: its text is not the bytes that cells are made of.
    #[error("this SQLite database stores text as {0}, and must store it as UTF-8")]
    Encoding(String),
}

impl UnfitDatabase {
    /// The way out.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Setting(_) => {
                "use the server's own address in `database.url`, or a pooler in session mode"
            }
            Self::Encoding(_) => {
                "copy it with `sqlite3 OLD .dump | sqlite3 NEW`, which makes UTF-8, and name the copy in `database.url`"
            }
        }
    }
}
