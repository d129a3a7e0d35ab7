//! What a simulated disk does wrong, and what is left of it after a crash: plain values, so that a seed or a table can
//! name every case.

use std::io;

/// The kinds of call a fault can hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Call {
    /// A positioned read, or a file's length.
    Read,
    /// A positioned write.
    Write,
    /// A sync of a file.
    Sync,
    /// A sync of a folder.
    SyncDir,
    /// Creating a file or folder.
    Create,
    /// Opening or locking a file.
    Open,
    /// Renaming a file.
    Rename,
    /// Removing a file.
    Remove,
    /// Listing a folder.
    List,
    /// Changing a file's length.
    SetLen,
    /// Asking for free bytes.
    Free,
}

impl Call {
    /// Every kind, for tests that go through them all.
    pub const ALL: [Call; 11] = [
        Call::Read,
        Call::Write,
        Call::Sync,
        Call::SyncDir,
        Call::Create,
        Call::Open,
        Call::Rename,
        Call::Remove,
        Call::List,
        Call::SetLen,
        Call::Free,
    ];

    /// Whether the call changes what a crash may leave.
    pub fn changes(self) -> bool {
        !matches!(self, Call::Read | Call::Open | Call::List | Call::Free)
    }
}

/// The error a fault returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Errno {
    /// The device failed.
    Io,
    /// No space left.
    NoSpace,
    /// The file ended early (a short read).
    Eof,
}

impl Errno {
    pub(crate) fn error(self) -> io::Error {
        match self {
            Errno::Io => io::Error::from_raw_os_error(5),
            Errno::NoSpace => io::Error::from_raw_os_error(28),
            Errno::Eof => io::Error::new(io::ErrorKind::UnexpectedEof, "short read (simulated)"),
        }
    }
}

/// "Fail the Nth call of this kind from now on."
///
/// A write that fails leaves its first half written. A sync that fails drops what it should have made durable, as the
/// page cache of Linux does: the bytes can still be read, but no later sync will save them. A sync of a folder that
/// fails leaves its names in doubt until one succeeds, as a file system's own journal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// The kind of call to fail.
    pub call: Call,
    /// Which one, counted from 0 at the moment the fault is planned.
    pub nth: u64,
    /// What to fail with.
    pub errno: Errno,
    /// Whether all later calls of the kind fail too.
    pub sticky: bool,
}

/// Which of the bytes and names that were written but not synced are still there after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Survival {
    /// None of them.
    Nothing,
    /// All of them.
    All,
    /// The first so many sectors (512 bytes; a change of names counts as one), in the order they were issued.
    Sectors(u64),
    /// The first so many bytes (a change of names counts as one).
    Bytes(u64),
    /// An arbitrary subset of sectors, drawn from the seed; changes of names are kept in order up to some point.
    Subset(u64),
}
