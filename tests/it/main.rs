//! Everything together: the real program on real databases, every test on every engine.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_possible_wrap,
    unreachable_pub,
    reason = "a test that cannot go on fails; it measures time and connects past the program on purpose"
)]

mod support;

mod access;
mod adoption;
mod adoption_cases;
mod audit;
mod break_glass;
mod cluster;
mod component_keys;
mod crash;
mod credentials;
mod docs;
mod doctor;
mod drift;
mod epochs;
mod exclusion;
mod floors;
mod guards;
mod help;
mod host;
mod hosts;
mod init;
mod key_rows;
mod keystone;
mod keystone_export;
mod keystone_odd;
mod library;
mod lineage;
mod more_vectors;
mod new_projects;
mod person;
mod policy;
mod public_api;
mod record;
mod refusals;
mod roll;
mod root;
mod rotation;
mod round_trip;
mod row_order;
mod run_lock;
mod schema_changes;
mod sealing;
mod secret_files;
mod secrets;
mod serve_dev;
mod server_logins;
mod server_settings;
mod server_versions;
mod service;
mod service_access;
mod service_bodies;
mod service_clients;
mod service_load;
mod service_routes;
mod service_signatures;
mod service_tls;
mod service_wire;
mod status;
mod stored_keys;
mod tamper;
mod terminal;
mod tls;
mod tools;
mod unserved;
mod vectors;
mod way_back;
mod writers;
