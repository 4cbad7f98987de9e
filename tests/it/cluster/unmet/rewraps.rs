//! A failover in the midst of a rewrap.

use super::super::lost_commits::in_the_midst_of_rewraps;

#[test]
#[ignore = "takes minutes: tests/long unmet"]
fn keys_made_during_a_lost_rewrap_open_under_the_new_root() {
    in_the_midst_of_rewraps();
}
