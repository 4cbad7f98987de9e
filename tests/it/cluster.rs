//! Clusters whose servers, networks and programs fail in the midst of every command. `make test-cluster` runs these.
//!
//! `STRONGROOM_CLUSTER_FAULTS` says how many faults a test makes, `STRONGROOM_CLUSTER_SEED` repeats the moments of another run. Each test
//! writes a table of what it did to `target/cluster`.

mod dice;
mod failover;
mod ledger;
mod load;
mod lost_commits;
mod pair;
mod report;
mod sessions;
mod stored;
mod unmet;
mod writers;
