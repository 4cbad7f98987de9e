//! Sealing and opening one cell, against stock `XChaCha20Poly1305` and ring's bare ChaCha20-Poly1305.
//!
//! Stock is what would be written in a minute: one key, a random nonce before the ciphertext, as much associated data as a
//! cell's header has. It derives no key, commits to none, binds no row and pads nothing. Bare is the cipher alone, in place.
//!
//! What binds a value is made before the measuring, for all alike: the associated data, and a cell's context. What it costs
//! to make that from a row's id and owners, once to seal and once more to open, is in the column "with context". Of each the
//! fastest of many short samples counts: whatever else the machine does only ever adds.
//!
//! Flags and features are a build's, so `make bench-cell` builds this three times: with the compiler's default flags, with the
//! feature `stock-crypto` and our flags (`.cargo/config.toml`), and with our flags alone. The last run is told where the others
//! wrote (`DEFAULT_FLAGS`, `STOCK_PATH`), and prints the ratios.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark prints, fails loudly, and makes stock's nonces as anybody would"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use criterion::{BenchmarkId, Criterion, SamplingMode};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use strongroom::crypto::{ColumnKey, Context, DataKey, KeyId, RingId, open_cell, seal_cell};

/// Short ones as secrets are; the others tell from where on the flag does not pay.
const LENGTHS: [usize; 5] = [40, 64, 100, 1_000, 4_000];
const KEY: [u8; 32] = *b"a benchmark's key, and no others";
/// As long as a cell's header, which is what a cell authenticates beside its ciphertext.
const AAD: [u8; 64] = [7; 64];

fn main() {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(1000)
        .nresamples(2000);
    measure(&mut criterion);
    criterion.final_summary();
    if let Some(default_flags) = env::var_os("DEFAULT_FLAGS") {
        print_ratios(Path::new(&default_flags));
    }
    if let Some(stock_path) = env::var_os("STOCK_PATH") {
        print_gain(Path::new(&stock_path));
    }
}

fn measure(criterion: &mut Criterion) {
    let key = column_key();
    let stock = XChaCha20Poly1305::new(&KEY.into());
    let bare = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &KEY).unwrap());
    let context = context();
    let mut group = criterion.benchmark_group("seal and open");
    group.sampling_mode(SamplingMode::Flat);
    for length in LENGTHS {
        let plaintext = vec![b's'; length];
        group.bench_with_input(
            BenchmarkId::new("cell", length),
            &plaintext,
            |bencher, plaintext| {
                bencher.iter(|| cell(&key, &context, black_box(plaintext)));
            },
        );
        group.bench_with_input(
            BenchmarkId::new("seal", length),
            &plaintext,
            |bencher, plaintext| {
                bencher.iter(|| {
                    seal_cell(&key, KeyId::new(1), &context, black_box(plaintext)).unwrap()
                });
            },
        );
        let sealed = seal_cell(&key, KeyId::new(1), &context, &plaintext).unwrap();
        group.bench_with_input(BenchmarkId::new("open", length), &sealed, |bencher, sealed| {
            bencher.iter(|| open_cell(&key, &context, black_box(sealed)).unwrap());
        });
        group.bench_with_input(
            BenchmarkId::new("with context", length),
            &plaintext,
            |bencher, plaintext| {
                bencher.iter(|| cell_with_context(&key, black_box(plaintext)));
            },
        );
        group.bench_with_input(
            BenchmarkId::new("stock", length),
            &plaintext,
            |bencher, plaintext| {
                bencher.iter(|| stock_value(&stock, black_box(plaintext)));
            },
        );
        group.bench_with_input(
            BenchmarkId::new("bare", length),
            &plaintext,
            |bencher, plaintext| {
                bencher.iter(|| bare_value(&bare, black_box(plaintext)));
            },
        );
    }
    group.finish();
}

/// As a program has it: derived once a column, and kept.
fn column_key() -> ColumnKey {
    DataKey::make().unwrap().column(&RingId::from([3; 16]), "credential.secret_key")
}

fn context() -> Context {
    let owners = [
        ("project_id", "4f2a9d0e7c1b4a6f8e3d5c7b9a1f0e2d"),
        ("type", "ec2"),
        ("user_id", "0c9b8a7f6e5d4c3b2a190817f6e5d4c3"),
    ];
    Context::cell(
        "f3b0c442-98fc-4c14-9afb-f4c8996fb924",
        &owners.map(|(label, value)| (label, value.into())),
    )
}

fn cell(key: &ColumnKey, context: &Context, plaintext: &[u8]) -> usize {
    let sealed = seal_cell(key, KeyId::new(1), context, plaintext).unwrap();
    open_cell(key, context, black_box(&sealed)).unwrap().as_bytes().len()
}

fn cell_with_context(key: &ColumnKey, plaintext: &[u8]) -> usize {
    let sealed = seal_cell(key, KeyId::new(1), &context(), plaintext).unwrap();
    open_cell(key, &context(), black_box(&sealed)).unwrap().as_bytes().len()
}

fn stock_value(cipher: &XChaCha20Poly1305, plaintext: &[u8]) -> usize {
    let mut nonce = [0; 24];
    getrandom::fill(&mut nonce).unwrap();
    let sealed =
        cipher.encrypt(&XNonce::from(nonce), Payload { msg: plaintext, aad: &AAD }).unwrap();
    let stored = [nonce.as_slice(), &sealed].concat();
    let (nonce, sealed) = black_box(&stored).split_at(24);
    cipher
        .decrypt(&XNonce::try_from(nonce).unwrap(), Payload { msg: sealed, aad: &AAD })
        .unwrap()
        .len()
}

fn bare_value(key: &LessSafeKey, plaintext: &[u8]) -> usize {
    let nonce = || Nonce::assume_unique_for_key([0; 12]);
    let mut value = plaintext.to_vec();
    key.seal_in_place_append_tag(nonce(), Aad::from(AAD), &mut value).unwrap();
    key.open_in_place(nonce(), Aad::from(AAD), black_box(&mut value)).unwrap().len()
}

fn print_ratios(default_flags: &Path) {
    let ours = ours();
    println!("\na cell sealed and opened, in ns, and its cost as a part of theirs");
    println!(
        "bytes | cell | stock, default flags | stock, our flags | ring, bare | cell with default flags | cell with context"
    );
    for length in LENGTHS {
        let cell = fastest(&ours, "cell", length);
        let shown = |other: f64| format!("{other:6.0} {:5.2}", cell / other);
        println!(
            "{length:5} | {cell:4.0} | {:>20} | {:>16} | {:>10} | {:>23} | {:>17}",
            shown(fastest(default_flags, "stock", length)),
            shown(fastest(&ours, "stock", length)),
            shown(fastest(&ours, "bare", length)),
            shown(fastest(default_flags, "cell", length)),
            shown(fastest(&ours, "with context", length)),
        );
    }
}

/// The library's two paths, `src/crypto/fast` and `src/crypto/stock.rs`.
fn print_gain(stock_path: &Path) {
    let ours = ours();
    println!("\na cell in ns, and as a part of the stock path's time");
    println!("bytes | seal        | open        | seal and open | with context");
    for length in LENGTHS {
        let shown = |of: &str| {
            let (fast, stock) = (fastest(&ours, of, length), fastest(stock_path, of, length));
            format!("{fast:6.0} {:4.2}", fast / stock)
        };
        println!(
            "{length:5} | {} | {} | {:>13} | {:>12}",
            shown("seal"),
            shown("open"),
            shown("cell"),
            shown("with context"),
        );
    }
}

/// The folder that this run writes to.
fn ours() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map(PathBuf::from).unwrap()
}

fn fastest(target: &Path, of: &str, length: usize) -> f64 {
    let file = target.join(format!("criterion/seal and open/{of}/{length}/new/sample.json"));
    let text =
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let sample: Sample = serde_json::from_str(&text).unwrap();
    sample
        .times
        .iter()
        .zip(&sample.iters)
        .map(|(time, count)| time / count)
        .fold(f64::INFINITY, f64::min)
}

#[derive(serde::Deserialize)]
struct Sample {
    iters: Vec<f64>,
    times: Vec<f64>,
}
