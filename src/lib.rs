//! Strongroom keeps the secrets in a control plane's database sealed: each value in a cell of its own, which opens in its
//! place and nowhere else.
//!
//! This is the face for Rust programs. They declare which columns of their sea-orm entities are sealed, and go on using
//! sea-orm; they name no key, no nonce and no context. (The program `strongroom`, for operators, is described in the README.)
//!
//! # Five minutes
//!
//! An entity with a sealed column that can be searched for, from its table to a new key:
//!
//! ```
//! mod api_token {
//!     use sea_orm::entity::prelude::*;
//!     use strongroom::prelude::*;
//!
//!     #[sea_orm::model]
//!     #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
//!     #[sea_orm(table_name = "api_token")]
//!     #[sealed(label = "api_token", scope(tenant_id))] // each tenant's rows have a data key of their own
//!     pub struct Model {
//!         #[sea_orm(primary_key, auto_increment = false)]
//!         pub id: Uuid, // made by the program: cells are bound to it before the insert
//!         pub tenant_id: String,
//!         pub name: String,
//!         pub token: Sealed<Token>, // the derive makes `pub struct Token`, which names the column
//!         #[sea_orm(unique)]
//!         pub token_index: BlindIndex<Token>, // so that a row is found by its token
//!     }
//!     # impl ActiveModelBehavior for ActiveModel {}
//! }
//!
//! # use std::sync::Arc;
//! # use sea_orm::prelude::Uuid;
//! # use sea_orm::{ActiveValue::Set, ConnectionTrait as _, EntityTrait as _, Schema};
//! # use sea_orm_migration::SchemaManager;
//! use api_token::Token;
//! use strongroom::db::{Access, Address, connect};
//! use strongroom::key::{FileSource, KeySource as _, Rolling, Roots, OpenFailure};
//! use strongroom::migration::Phase;
//! use strongroom::prelude::*;
//! use strongroom::reseal::Options;
//! use strongroom::schema::{Sealing, install_ring};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let key_file = folder.path().join("root.key");
//! # let url = format!("sqlite://{}/tokens.db?mode=rwc", folder.path().display());
//! // The root key: 32 random bytes in a file that is nobody else's. Whoever loses it loses every value.
//! let source = FileSource::new(key_file);
//! source.make_if_missing().await?;
//! let roots = Arc::new(Roots::from(source.root().await?));
//!
//! // Once, as a migration: the key ring, the table, and the guards that let no plaintext into it.
//! let db = connect(&Address::parse(&url)?, Access::Write).await?;
//! install_ring(&db, roots.clone()).await?;
//! db.execute(&Schema::new(db.get_database_backend()).create_table_from_entity(api_token::Entity)).await?;
//! let sealing = Sealing::new(roots.clone());
//! sealing.migrate_to(&SchemaManager::new(&db), api_token::Entity::TABLE, Phase::Sealed).await?;
//!
//! // At each start: the connection with its keys, and an error unless the table is sealed as this program was built for.
//! let db = Strongroom::load(db, roots).await?;
//! db.require(&[api_token::Entity::TABLE]).await?;
//!
//! // Written: an active model, and the plaintext beside it.
//! let row = |name: &str| api_token::ActiveModel {
//!     id: Set(Uuid::new_v4()),
//!     tenant_id: Set("acme".to_owned()),
//!     name: Set(name.to_owned()),
//!     ..Default::default()
//! };
//! row("laptop").with(Token, "tok_9f2c61d07be84a35").insert(&db).await?;
//! row("robot").with(Token, "tok_1b7e0a5c93d24f68").insert(&db).await?;
//!
//! // Found by its value, and opened on purpose.
//! let laptop = db.find_by(Token, "tok_9f2c61d07be84a35").await?.expect("it was stored");
//! assert_eq!(laptop.name, "laptop");
//! assert_eq!(db.open(Token, &laptop).await?.as_text(), Some("tok_9f2c61d07be84a35"));
//! assert!(db.find_by(Token, "tok_of_nobody").await?.is_none());
//!
//! // Changed for its tenant alone: a draft that names another one finds no row, and changes nothing.
//! let of_another = api_token::ActiveModel { id: Set(laptop.id), tenant_id: Set("globex".to_owned()), ..Default::default() };
//! assert!(matches!(of_another.with(Token, "tok_x").update(&db).await, Err(RecordError::Rebound { .. })));
//!
//! // Somebody with write access gives the laptop the robot's cell. The row is read as ever; the cell does not open there.
//! let swap = "UPDATE api_token SET token = (SELECT token FROM api_token WHERE name = 'robot') WHERE name = 'laptop'";
//! db.execute_unprepared(swap).await?;
//! let laptop = api_token::Entity::find_by_id(laptop.id).one(&db).await?.expect("it is there");
//! let refused = db.open(Token, &laptop).await;
//! assert!(matches!(refused, Err(RecordError::Unopenable { reason: OpenFailure::NotForThisRow, .. })));
//!
//! // A new key for every cell, while programs read and write. What does not open stays where it is, and is counted.
//! let rolled = db.roll(Rolling::Forward, &Options::default()).await?;
//! assert_eq!((rolled.generation.number(), rolled.moved, rolled.bad), (2, 1, 1));
//! # Ok(())
//! # }
//! ```
//!
//! Any sea-orm connection will do. [`db::connect`] verifies TLS off loopback, logs no statement, and sets what each engine needs;
//! [`db::with_sessions`] sets it for a pool that the program opens by itself.
//!
//! Where the table is there already, with rows in the clear, it is [sealed](schema::Sealing::migrate_to) in phases, while programs
//! go on, and the way back leads to the same rows. Give the step to a [`HostRunner`](schema::HostRunner), and it runs with
//! the program's other migrations, under one lock, with a plan and a history.
//!
//! # What is promised, and what is not
//!
//! - Plaintext reaches a sealed column neither by a type nor by a raw expression: the compiler refuses the one, the database
//!   the other.
//! - A cell that was altered, or moved to another row, column, owner or table, is an error where it is opened, in whatever
//!   way the row was read; its row is not lost.
//! - Keys roll while programs read and write, and the tables of all programs in a database roll together: the authenticated
//!   manifest describes them.
//! - A program refuses a database that was made by a newer version of it, or is sealed in another way.
//!
//! - An update, upsert or delete of a draft changes the row of its id and its owners, or nothing.
//!
//! Not promised: that a cell is the newest one of its row; that whoever can write to the database does not remove rows or
//! empty cells; that a blind index hides which rows have the same value. It is meant for values that nobody can guess, of
//! 128 random bits or more. `SECURITY.md` numbers each promise with its test, and says what is trusted.
//!
//! # What an entity can be
//!
//! The primary key is one column, a `String` of at most 64 characters or a `Uuid`, made by the program. A cell is bound to it,
//! and to the owner columns that the entity names: `String`, `Uuid`, `i64`, `i32`, or an `Option` of one of them.
//! A value is text or bytes, or [JSON](record::Plaintext::json). A scope has at
//! most 72 characters, a value at most 1 MiB. Where a table is sealed that was there before, its plaintext columns are text. All sealed columns of a table are
//! in one phase; one that is added to a sealed table is sealed from the start. See [`SealedModel`](entity::SealedModel).
//!
//! # Features
//!
//! ```toml
//! strongroom = { version = "0.1", features = ["postgres"] }
//! ```
//!
//! `postgres`, `mysql` (MariaDB's too) and `sqlite` are the engines; an address of any other is refused, with the feature
//! that it takes. `keystone` is import from Keystone's tables, and export. `stock-crypto` calls SHA-256, HMAC, HKDF and
//! ChaCha20-Poly1305 in the ordinary way of their crates; cells have the same bytes, and take longer. None is on by default. The program is the package `strongroom-cli`, and the service `strongroom-api`.
//!
//! Cells are short, and on x86-64 Poly1305 is at its best with long messages. These lines in the `.cargo/config.toml` of
//! whoever builds make a cell more than twice as fast; a dependency cannot set them. They change no cell. Leave them out where
//! most values are longer than 2 KiB.
//!
//! ```toml
//! [build]
//! rustflags = ["--cfg", "poly1305_backend=\"soft\""]
//! ```
//!
//! # Where to go next
//!
//! - [`record`]: writing, finding and opening. [`entity::SealedModel`]: everything that can be declared.
//! - [`schema::Sealing`]: a table through its phases and back. [`schema::HostRunner`]: a program's own migrations.
//! - [`key::KeySource`]: where a root key comes from. [`key::Roots`]: two of them, for the move to another.
//! - [`component::Components`]: for each kind of program a pool and a share of the keys, and no more.
//! - In the repository, `examples/tenants` (two tables, migrations, a roll), `examples/existing` (a table with rows, sealed and
//!   back), `examples/axum` (a service that knows its callers by their tokens).
//!
//! # Modules
//!
//! From the ground up; imports only go down (`tests/it/floors.rs` checks it):
//!
//! - [`crypto`]: sealing, wrapping, blind indexes. Pure.
//! - [`key`]: the key ring and key sources. [`db`]: connecting, the run lock, history.
//! - [`reseal`]: the engine that rewrites cells. [`schema`]: the migration runner.
//!   [`record`]: a program's own entities. [`credential`]: the built-in store, and import.
//!   [`policy`]: what components may do, and the plan that makes a server enforce it.
//! - [`component`]: the pools and logins of components. [`audit`]: what was handed out, and to whom.

pub mod audit;
pub mod component;
pub mod credential;
pub mod crypto;
pub mod db;
mod file;
#[doc(hidden)]
pub mod internal;
pub mod key;
pub mod policy;
pub mod record;
pub mod reseal;
pub mod schema;

pub use strongroom_entity as entity;
pub use strongroom_migration as migration;

/// What a program with sealed columns of its own names again and again.
pub mod prelude {
    pub use crate::entity::{BlindIndex, Sealed, SealedEntity, SealedModel};
    pub use crate::record::{Draft, Drafting, Keyed, RecordError, Strongroom, Transaction};
}
