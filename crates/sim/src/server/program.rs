//! Which server the tests run against: the MariaDB of this machine, or the MySQL of a Debian tree.
//!
//! `cargo xtask test-mysql` makes such a tree, names it in [`ROOT`], and leaves a data folder in it that was made
//! once: making one takes MySQL ten seconds.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The variable that names a Debian tree with MySQL in it.
pub const ROOT: &str = "BANKCORE_MYSQL_ROOT";

/// The data folder to begin with, in such a tree.
const TEMPLATE: &str = "var/lib/bankcore-template";

/// A server program.
pub(super) enum Program {
    MariaDb,
    MySql { root: PathBuf },
}

impl Program {
    /// The one that the environment asks for.
    pub(super) fn chosen() -> Program {
        match std::env::var_os(ROOT) {
            Some(root) if !root.is_empty() => Program::MySql { root: root.into() },
            _ => Program::MariaDb,
        }
    }

    /// Where its servers' folders go: in memory, if that can be.
    pub(super) fn parent(&self) -> PathBuf {
        let memory = Path::new("/dev/shm");
        match self {
            Program::MySql { root } => root.join("var/lib"),
            Program::MariaDb if memory.is_dir() => memory.to_path_buf(),
            Program::MariaDb => std::env::temp_dir(),
        }
    }

    /// Makes a data folder in `folder`.
    pub(super) fn install(&self, folder: &Path) {
        let mut said = String::new();
        // Tried again: what is made beside others that start at the same moment may fail for want of something
        // that they give back in a moment.
        for _ in 0..3 {
            let _ = std::fs::remove_dir_all(folder.join("data"));
            let output = self.installation(folder).output().expect("a program that makes data folders");
            if output.status.success() {
                return;
            }
            let (out, err) =
                (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            said = format!("{out}{err}");
            std::thread::sleep(Duration::from_secs(1));
        }
        panic!("no data folder in {}: {said}", folder.display());
    }

    fn installation(&self, folder: &Path) -> Command {
        match self {
            Program::MariaDb => {
                let mut command = Command::new("mariadb-install-db");
                command
                    .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
                    .arg(format!("--datadir={}", folder.join("data").display()))
                    .arg(format!("--user={}", user()));
                command
            }
            Program::MySql { root } => {
                let mut command = Command::new("cp");
                command.args(["--archive", "--"]).arg(root.join(TEMPLATE)).arg(folder.join("data"));
                command
            }
        }
    }

    /// The server on a port of the loopback, dying with the thread that starts it.
    pub(super) fn server(&self, folder: &Path, port: u16) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        let inside = match self {
            Program::MariaDb => {
                command.args(["mariadbd", "--no-defaults"]);
                folder
            }
            Program::MySql { root } => {
                command.arg("chroot").arg(root);
                command.args(["/usr/sbin/mysqld", "--no-defaults", "--mysqlx=OFF"]);
                let inside = folder.strip_prefix(root).expect("its folders are in its tree");
                &Path::new("/").join(inside)
            }
        };
        command
            .arg("--bind-address=127.0.0.1")
            .arg(format!("--user={}", user()))
            .arg(format!("--datadir={}", inside.join("data").display()))
            // Of its own: a server that starts deletes the temporary tables that it finds, another one's too.
            .arg(format!("--tmpdir={}", inside.join("tmp").display()))
            .arg(format!("--socket={}", inside.join("socket").display()))
            .arg(format!("--port={port}"))
            .args(["--innodb-buffer-pool-size=128M", "--max-connections=200"]);
        if matches!(self, Program::MariaDb) {
            command.arg("--innodb-log-file-size=64M");
        }
        command
    }
}

/// The user that the server runs as: root is not allowed to without saying so.
fn user() -> String {
    std::env::var("USER").ok().filter(|user| !user.is_empty()).unwrap_or_else(|| "root".into())
}
