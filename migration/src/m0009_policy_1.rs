//! Step 9: policy 1, the first.

use std::sync::Arc;

use crate::Grants;
use crate::policy_step::PolicyStep;

pub(crate) fn step(grants: Arc<dyn Grants>) -> PolicyStep {
    let down_destroys = Some("drops the components' database accounts, and ends their sessions");
    PolicyStep { version: 1, name: "policy_1", down_destroys, grants }
}
