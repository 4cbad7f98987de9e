//! Step 11: policy 2, for the service: its audit rows, and what an operator sees of the ring.

use std::sync::Arc;

use crate::Grants;
use crate::policy_step::PolicyStep;

pub(crate) fn step(grants: Arc<dyn Grants>) -> PolicyStep {
    PolicyStep { version: 2, name: "policy_2", down_destroys: None, grants }
}
