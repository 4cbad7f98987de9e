//! Everything together: the real program on real databases, every test on every engine.

mod support;

mod break_glass;
mod crash;
mod credentials;
mod floors;
mod help;
mod keystone;
mod refusals;
mod roll;
mod round_trip;
mod secrets;
mod tamper;
mod vectors;
mod writers;
