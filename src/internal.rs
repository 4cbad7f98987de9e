//! Items for the packages of this repository only: each module with its public surface and its internal items.
//!
//! No stability is promised: these items may change in any version.

pub use crate::file::internal as file;

pub mod component {
    pub use crate::component::internal::*;
    pub use crate::component::*;
}
pub mod db {
    pub use crate::db::internal::*;
    pub use crate::db::*;
}
pub mod key {
    pub use crate::key::internal::*;
    pub use crate::key::*;
}
pub mod policy {
    pub use crate::policy::internal::stored; // the module of that name is private
    pub use crate::policy::internal::*;
    pub use crate::policy::*;
}
pub mod reseal {
    pub use crate::reseal::internal::*;
    pub use crate::reseal::*;
}
pub mod schema {
    pub use crate::schema::internal::*;
    pub use crate::schema::*;
}
