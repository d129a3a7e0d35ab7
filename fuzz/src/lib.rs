//! Bytes that nobody wrote, for everything that reads bytes.
//!
//! ```text
//!  seed ─► input: random bytes ─┐
//!  corpus/<target>/ ────────────┴─► target: what a good file or body is, changed as the input says ─► reader
//!                                            (samples.rs, mutate.rs)                                    │
//!                                    a panic here: kept in corpus/<target>/, replayed by every test ◄───┘
//! ```
//! A target is a function of its input alone, `fn(&[u8])`, which is what `cargo fuzz` asks for too: where a nightly
//! compiler is at hand, `fuzz_target!(|data: &[u8]| fuzz::targets::event(data))` is all there is to add. Here the
//! inputs come from seeds, on the stable compiler, without coverage; what makes up for it is that nearly all
//! inputs are small changes of something valid, with the checksum made right again in half of them, so that they
//! get past the first gate.
//!
//! ```text
//! cargo test -p fuzz                          the corpus, and some seconds of each target
//! cargo run --release -p fuzz -- event 300    one target for 300 seconds, from a seed that it prints
//! ```

pub mod mutate;
pub mod runner;
pub mod samples;
pub mod targets;
