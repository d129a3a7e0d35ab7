//! `cargo xtask test-mysql`: the suites of the books in a database, against a real MySQL.
//!
//! ```text
//!  debootstrap sid ─► mysql-server in it ─► a data folder, made once ─► conformance, procedures, faults, schema …
//!  └──────────── kept in target/mysql ───────────────────────────┘
//! ```
//! Debian's stable has no MySQL, sid has. The tree is kept, so that only the first run takes minutes; remove it to
//! get a newer MySQL.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::{needs, run};

/// Where the tree is kept.
const TREE: &str = "target/mysql";
/// There when all of it is.
const READY: &str = "ready";
/// The variable that names the tree for the tests' servers.
const ROOT: &str = "BANKCORE_MYSQL_ROOT";
/// Test binaries of the crate `sim`.
const SUITES: [&str; 8] = [
    "conformance",
    "procedures",
    "mysql_faults",
    "mysql_schema",
    "mysql_snapshots",
    "mysql_verify",
    "bank_database",
    "moving",
];

/// What is done inside of the tree once.
const INSTALL: &str = r"set -e
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
export DEBIAN_FRONTEND=noninteractive
apt-get -o Acquire::Check-Valid-Until=false update -qq
apt-get install -y -qq --no-install-recommends mysql-server > /dev/null
cat > /root/users.sql <<'END'
CREATE USER root@'127.0.0.1';
GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;
SHUTDOWN;
END
rm -rf /var/lib/bankcore-template
mysqld --no-defaults --initialize-insecure --user=root --datadir=/var/lib/bankcore-template
mysqld --no-defaults --user=root --datadir=/var/lib/bankcore-template --skip-networking --mysqlx=OFF \
    --socket=/root/socket --pid-file=/root/pid --init-file=/root/users.sql
rm -f /var/lib/bankcore-template/auto.cnf
apt-get clean
";

/// Makes the tree if it is not there, and runs the suites.
///
/// # Errors
/// At the first thing that does not hold.
pub fn run() -> anyhow::Result<()> {
    needs::install()?;
    let tree = std::env::current_dir()?.join(TREE);
    if !tree.join(READY).exists() {
        make(&tree)?;
    }
    let at = tree.to_string_lossy();
    run::run("chroot", &[&at, "mysqld", "--version"])?;
    let env = [(ROOT, &*at)];
    let mut args = vec!["test", "--package", "sim", "--no-fail-fast"];
    args.extend(SUITES.iter().flat_map(|suite| ["--test", suite]));
    let counted = run::tests(&args, &env)?;
    println!("{counted}");
    Ok(())
}

fn make(tree: &PathBuf) -> anyhow::Result<()> {
    if !needs::is_root() {
        bail!(
            "a Debian tree is made and entered by root; run cargo xtask test-mysql as root, or leave it to the ordinary tests with MariaDB"
        );
    }
    needs::install_for_mysql()?;
    // What a run that broke off has left.
    if tree.exists() {
        std::fs::remove_dir_all(tree).with_context(|| format!("cannot remove {}", tree.display()))?;
    }
    let at = tree.to_string_lossy();
    run::run("debootstrap", &["--variant=minbase", "sid", &at])?;
    run::run("chroot", &[&at, "sh", "-c", INSTALL])?;
    std::fs::write(Path::new(tree).join(READY), "")?;
    Ok(())
}
