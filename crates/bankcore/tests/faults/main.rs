//! The real binary while the machine under it fails: the disk that cannot sync, write or read, the disk that is
//! full, the clock that jumps. The same rules as inside, seen from outside: what was answered is there, what is not
//! known is said so, and what to do about it too.
//!
//! Needs Linux, `strace` (its process may trace this test's), `unshare` and `libfaketime`; `.ci/run` installs them.

#[path = "../common/mod.rs"]
mod common;

mod clock;
mod full_disk;
mod sick_disk;
mod teller;
