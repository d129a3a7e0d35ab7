//! What a data folder holds: nothing yet, a bank, or something that is none of ours.
//!
//! A demonstration bank is marked by a file that is there before anything else is, so that neither a crash
//! half-way nor a forgotten flag ever turns a real bank into one.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The socket through which commands reach a running server.
pub const SOCKET: &str = "bankcore.sock";

/// The mark of a demonstration bank.
const DEMO_MARK: &str = "DEMO";
const DEMO_TEXT: &str = "This folder holds a demonstration bank, made by `bankcore serve --demo`.\n";

/// What may lie in a folder in which a bank is still to be made, or was made half.
const NOT_FOREIGN: [&str; 9] = [
    "bankcore.toml",
    "LOCK",
    "lock",
    "IDENTITY.new",
    "journal",
    SOCKET,
    "bankcore.sock.new",
    DEMO_MARK,
    "lost+found",
];

/// What a folder is to be used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// A bank is to be made in it.
    Nothing,
    /// It holds a bank.
    Bank,
}

/// The path of the socket.
pub fn socket(dir: &Path) -> PathBuf {
    dir.join(SOCKET)
}

/// Bytes in the path of a socket at most, on every Unix.
const SOCKET_PATH_MAX: usize = 100;

/// Looks at a folder before it is touched. `in_database`: the books are not in it, only what else a bank keeps.
///
/// # Errors
/// If it is not to be used so.
pub fn look(dir: &Path, demo: bool, in_database: bool) -> anyhow::Result<Found> {
    if socket(dir).as_os_str().len() > SOCKET_PATH_MAX {
        bail!(
            "{} is too long a path for the socket in it ({SOCKET_PATH_MAX} bytes); name a shorter one, or one \
             relative to where you are",
            dir.display()
        );
    }
    if bank::moving::is_unfinished(dir) {
        return Err(bank::service::Error::Unfinished(dir.to_path_buf()).into());
    }
    let holds_books = bank::service::is_bank(dir);
    let holds_rest = bank::service::is_of_database(dir) || dir.join(bank::database::FILE_NAME).exists();
    if in_database && holds_books {
        bail!(
            "{} holds the books of a bank already; name another folder, or leave --store out",
            dir.display()
        );
    }
    if !in_database && holds_rest && !holds_books {
        bail!(
            "{} belongs to a bank whose books are in a database; say which with --store, or name another folder",
            dir.display()
        );
    }
    let holds_bank = holds_books || holds_rest;
    if demo && holds_bank && !dir.join(DEMO_MARK).exists() {
        bail!(
            "{} holds a bank that is not a demonstration; leave --demo out, or name an empty folder",
            dir.display()
        );
    }
    if holds_bank {
        return Ok(Found::Bank);
    }
    if !demo && dir.join(DEMO_MARK).exists() {
        bail!(
            "{} was begun as a demonstration; finish it with --demo, or name an empty folder",
            dir.display()
        );
    }
    if let Some(name) = foreign(dir).with_context(|| format!("cannot look into {}", dir.display()))? {
        bail!(
            "{} is not empty and holds no bank ({name} lies in it); name an empty folder, or that of a bank",
            dir.display()
        );
    }
    Ok(Found::Nothing)
}

/// Something in the folder that no bank puts there.
fn foreign(dir: &Path) -> io::Result<Option<String>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    for entry in entries {
        let name = entry?.file_name();
        if !NOT_FOREIGN.iter().any(|known| name == *known) {
            return Ok(Some(name.to_string_lossy().into_owned()));
        }
    }
    Ok(None)
}

/// Makes a folder that is missing, durably, for its owner's eyes only: names and balances will lie in it.
///
/// # Errors
/// If it cannot be made.
pub fn make(dir: &Path) -> anyhow::Result<()> {
    let make = || {
        let above = dir.ancestors().filter(|path| !path.as_os_str().is_empty());
        let missing = above.take_while(|path| !path.exists()).count();
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        for parent in dir.ancestors().skip(1).take(missing) {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            fs::File::open(parent)?.sync_all()?;
        }
        Ok::<(), io::Error>(())
    };
    make().with_context(|| format!("cannot make {}; name a folder that can be made", dir.display()))
}

/// Marks an empty folder as that of a demonstration, durably.
///
/// # Errors
/// If it cannot be written.
pub fn mark_demo(dir: &Path) -> anyhow::Result<()> {
    let path = dir.join(DEMO_MARK);
    let write = || {
        fs::write(&path, DEMO_TEXT)?;
        fs::File::open(&path)?.sync_all()?;
        fs::File::open(dir)?.sync_all()
    };
    write().with_context(|| format!("cannot write {}; make the folder writable", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_folder_that_is_made_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b");
        make(&inner).unwrap();
        make(&inner).unwrap();
        assert_eq!(fs::metadata(&inner).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_folder_with_something_else_is_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(look(&dir.path().join("missing"), false, false).unwrap(), Found::Nothing);
        assert_eq!(look(dir.path(), true, false).unwrap(), Found::Nothing);
        fs::write(dir.path().join("bankcore.toml"), "").unwrap();
        mark_demo(dir.path()).unwrap();
        assert_eq!(look(dir.path(), true, false).unwrap(), Found::Nothing);
        assert!(look(dir.path(), false, false).unwrap_err().to_string().contains("--demo"));
        fs::write(dir.path().join("holiday.jpg"), "").unwrap();
        let error = look(dir.path(), true, false).unwrap_err().to_string();
        assert!(error.contains("holiday.jpg"), "{error}");
        let error = look(&dir.path().join("x".repeat(100)), false, false).unwrap_err().to_string();
        assert!(error.contains("shorter"), "{error}");
    }

    #[test]
    fn a_real_bank_never_becomes_a_demonstration() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("IDENTITY"), "").unwrap();
        assert_eq!(look(dir.path(), false, false).unwrap(), Found::Bank);
        let error = look(dir.path(), true, false).unwrap_err().to_string();
        assert!(error.contains("not a demonstration"), "{error}");
        mark_demo(dir.path()).unwrap();
        assert_eq!(look(dir.path(), true, false).unwrap(), Found::Bank);
    }

    #[test]
    fn a_bank_in_a_database_keeps_the_rest_in_a_folder_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(look(dir.path(), false, true).unwrap(), Found::Nothing);
        // A start that came to nothing leaves a lock; one that opened the bank says in it where the books are.
        std::fs::write(dir.path().join("lock"), "").unwrap();
        assert_eq!(look(dir.path(), false, true).unwrap(), Found::Nothing);
        std::fs::write(dir.path().join("lock"), "where").unwrap();
        assert_eq!(look(dir.path(), false, true).unwrap(), Found::Bank);
        let error = look(dir.path(), false, false).unwrap_err().to_string();
        assert!(error.contains("--store"), "{error}");
    }
}
