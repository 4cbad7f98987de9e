//! Why an address is refused, and the cure.

/// The URL is not one of a database that this build can speak to. No message holds a part of a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Not a URL at all. The text is not repeated: it may hold a password.
    #[error("the database address is not a URL")]
    NotUrl,
    /// Another scheme.
    #[error("unknown database scheme `{0}`: use sqlite://, postgres:// or mysql://")]
    Scheme(String),
    /// SQLAlchemy's form, with a driver of Python's.
    #[error("the database address has SQLAlchemy's form: `{0}+DRIVER://`")]
    Driver(&'static str),
    /// The engine's driver was left out of this build.
    #[error(
        "`{scheme}` addresses take strongroom's feature `{feature}`, which this build is without"
    )]
    NotBuilt {
        /// Of the address.
        scheme: String,
        /// What to switch on.
        feature: &'static str,
    },
    /// An `sslmode` that neither engine has.
    #[error(
        "unknown `{0}` in the database address: PostgreSQL's strictest is `verify-full`, MySQL's `verify_identity`"
    )]
    Mode(String),
    /// A list of hosts that cannot be read, or stands in a parameter.
    #[error("the database address has a list of hosts that cannot be read")]
    Hosts,
    /// A `target_session_attrs` that PostgreSQL does not have.
    #[error("unknown `target_session_attrs={0}` in the database address")]
    SessionAttrs(String),
    /// A character of the user or the password that ends it.
    #[error(
        "the database address holds a character that is not percent-encoded, in its user or password or behind the host"
    )]
    Unencoded,
    /// A server, and no database on it.
    #[error("the database address names a server, but no database")]
    NoDatabase,
    /// A parameter that the engine's driver does not know, and would ignore.
    #[error("unknown parameter `{0}` in the database address")]
    Parameter(String),
    /// `sqlite:` without slashes.
    #[error("`sqlite:` in the database address is not followed by two slashes")]
    Slashes,
    /// A SQLite database that ends with the connection.
    #[error(
        "the database address names a SQLite database in memory: every connection would find another one, empty"
    )]
    Memory,
}

impl AddressError {
    /// What to write instead.
    #[doc(hidden)]
    pub fn cure(&self) -> String {
        match self {
            Self::NotUrl => "write `postgres://USER:PASSWORD@HOST/DATABASE`, the same with `mysql://`, or \
                             `sqlite://FILE?mode=rwc`"
                .into(),
            Self::Scheme(_) => "begin the address with sqlite://, postgres:// or mysql:// (MariaDB's too)".into(),
            Self::Driver(scheme) => {
                format!("drop the part after `+`: `{scheme}://…`; only `--from` and `--to` take SQLAlchemy's form")
            }
            Self::NotBuilt { .. } => "use a build with this feature".into(),
            Self::Mode(_) => "leave it out: TLS is required and verified off loopback".into(),
            Self::Hosts => "write the hosts before the database, each with its port: `…@HOST:PORT,HOST:PORT/DATABASE`; no \
                            `host`, `port` or `socket` beside them"
                .into(),
            Self::SessionAttrs(_) => "write `read-write`, `primary`, `read-only`, `standby`, `prefer-standby` or `any`, or leave \
                                      it out: of several hosts the one that takes changes is used"
                .into(),
            Self::Unencoded => "write `#` in a password as `%23`, `?` as `%3F`, `/` as `%2F`, `@` as `%40`, `:` as `%3A` and \
                                `%` as `%25`"
                .into(),
            Self::NoDatabase => "add its name: `…@HOST:PORT/DATABASE`".into(),
            Self::Parameter(_) => "leave it out, or correct its name; README.md, \"Configuration\", lists them".into(),
            Self::Slashes => "write `sqlite://FILE?mode=rwc`, or `sqlite:///FILE?mode=rwc` for an absolute path".into(),
            Self::Memory => "name a file: `sqlite://strongroom.db?mode=rwc`".into(),
        }
    }
}
