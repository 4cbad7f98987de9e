//! The one place that lists the packages whose routes the service has.

use strongroom_api::{Routes, actions_of, built_in};

/// Returns the packages, in the order of the API's description. A new package is one line here.
pub fn packages() -> Vec<Box<dyn Routes>> {
    built_in()
}

/// Returns the actions that audit rows may have.
pub(crate) fn actions() -> Vec<&'static str> {
    actions_of(&packages())
}
