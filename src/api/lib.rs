//! The HTTPS service: every caller is a component, and every component is served by its own pool.
//!
//! Promises: what a caller may do is decided by the database, which holds its component's login to its policy, and by the
//! share of the keys that goes with it; the service adds no right. A secret goes out only after an audit row that says so
//! is committed. No answer, log line or metric holds a secret or an access key, but for the answers that show a credential.
//!
//! Refuses: a database login of its own that is not component `strongroom`'s, or that may do more than its policy says;
//! callers without a certificate, but for health and the API's description.
//!
//! Extended by: packages, which implement [`Routes`]. [`RouteSet`] joins them, and [`Server::bind`] takes the set.
//!
//! Does not promise: anything against whoever runs the service. It holds the root key, and every component's share is in
//! one memory.

mod access_row;
pub mod body;
mod body_budget;
mod bounds;
mod caller;
mod chain_end;
mod claims;
mod connection;
pub mod dev_certs;
mod error_shape;
mod exchange;
mod extension;
mod finding;
mod gate;
mod handshake;
mod identity;
mod last_answer;
mod line_budget;
mod member;
mod metrics;
pub mod path;
mod peer;
mod problem;
mod query;
pub mod readiness;
mod refusal;
mod request_id;
pub mod responses;
mod route_set;
mod routes;
mod server;
mod service;
mod settings;
mod shown_path;
mod signature;
mod tls;
mod unparsed;
mod well_formed;
mod words;

pub use access_row::AccessRow;
pub use body::Body;
pub use body_budget::BodyBudgetSettings;
pub use caller::Caller;
pub use claims::RoutesError;
pub use error_shape::ErrorShape;
pub use extension::{Routes, Work, actions_of};
pub use gate::GateSettings;
pub use identity::{Identities, Identity, IdentityError, NoIdentity};
pub use problem::Problem;
pub use query::Parameters;
pub use refusal::Refusal;
pub use route_set::RouteSet;
pub use routes::built_in;
pub use server::{Server, ServerError, Signals};
pub use service::{Database, OWN_COMPONENT, Service};
pub use settings::{Limits, Settings, Way};
pub use signature::{
    Claim, Fingerprint, Malformed, Mismatch, SignedRequest, Version as SignatureVersion,
};
pub use tls::{Material, Reloading, Setting, TlsError, TlsSettings};
