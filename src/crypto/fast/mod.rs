//! The fast path: SHA-256, HMAC, HKDF-Expand and ChaCha20-Poly1305, called so that a short cell costs little.
//!
//! # Why it exists
//!
//! Most secrets have fewer than 100 bytes. For such a cell the ciphers themselves take less time than the work around them:
//! buffers for messages that arrive in pieces, keys that are set up for each code, buffers that are wiped byte by byte, and a
//! key stream that is computed one block at a time. A service opens thousands of cells a second, and a key roll rewrites all.
//!
//! # What it saves
//!
//! - `sha256.rs` hashes messages that are complete. It needs no buffer for pieces, and pads on the stack.
//! - `hmac_key.rs` keeps the two states of SHA-256 after the key. Each code saves two compressions and the setting up.
//! - `expand.rs` writes one buffer for both messages of HKDF-Expand, and needs no allocation.
//! - `keystream.rs` computes the first blocks of ChaCha20 together, which vector units do in the time of one.
//!
//! # What it relies on
//!
//! The primitives are the crates': the compression function of `sha2` (`block_api`), the stream of `chacha20`, and the AEAD of
//! `chacha20poly1305`, which is generic over its stream cipher. This module adds padding (FIPS 180-4, RFC 2104), the
//! loop of HKDF-Expand (RFC 5869) and a buffer under the AEAD (RFC 8439). It has no `unsafe` code.
//!
//! Three kinds of tests hold it to the stock path (`stock.rs`): properties in each file, properties and frozen cells on both
//! paths (`paths.rs`), and Wycheproof's vectors on both paths (`known_answers.rs`).
//!
//! Invariant: both paths return the same bytes. The feature `stock-crypto` chooses the stock path for programs that prefer the
//! crates' own code throughout; their cells open everywhere.
//!
//! # The measured gain
//!
//! `make bench-cell`, on an AMD EPYC with SHA and AVX2 instructions and the flags of `.cargo/config.toml`, the least of many
//! samples, randomness included:
//!
//! | bytes | seal, of the stock path's time | open, of the stock path's time |
//! | --- | --- | --- |
//! | 40 | 0.80 (807 ns) | 0.75 (572 ns) |
//! | 100 | 0.74 (844 ns) | 0.65 (581 ns) |
//! | 1,000 | 0.97 (1,755 ns) | 0.95 (1,496 ns) |
//! | 4,000 | 0.98 (4,631 ns) | 1.03 (4,466 ns) |
//!
//! From 1,000 bytes on, the ciphers dominate, and the paths differ little.

mod expand;
mod hmac_key;
mod keystream;
mod sha256;

pub(super) use expand::ExpandKey;
pub(super) use hmac_key::HmacKey;
pub(super) use keystream::CellCipher;
pub(super) use sha256::digest;
