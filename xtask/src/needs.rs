//! What the tests need from the system beside the compiler: real servers and real faults.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::bail;

use crate::run;

/// A Debian package, and how to see that it is there.
struct Need {
    package: &'static str,
    for_what: &'static str,
    there: fn() -> bool,
}

const NEEDS: &[Need] = &[
    Need { package: "mariadb-server", for_what: "the books in a database", there: || command("mariadbd") },
    Need {
        package: "strace",
        for_what: "a disk that fails under the real binary",
        there: || command("strace"),
    },
    Need { package: "nats-server", for_what: "events to NATS", there: || command("nats-server") },
    Need { package: "rabbitmq-server", for_what: "events to RabbitMQ", there: || command("rabbitmq-server") },
    Need { package: "faketime", for_what: "a clock that jumps", there: faketime },
];

/// What a tree with MySQL in it is made with.
const FOR_MYSQL: &[Need] = &[Need {
    package: "debootstrap",
    for_what: "a Debian tree with MySQL in it",
    there: || command("debootstrap"),
}];

/// Installs what is missing, where that can be done; else says what to install.
///
/// # Errors
/// If something is missing and cannot be installed.
pub fn install() -> anyhow::Result<()> {
    install_those(NEEDS)
}

/// The same, for tests against MySQL.
///
/// # Errors
/// As [`install`].
pub fn install_for_mysql() -> anyhow::Result<()> {
    install_those(FOR_MYSQL)
}

fn install_those(needs: &[Need]) -> anyhow::Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for need in &missing {
        eprintln!("missing: {} (for {})", need.package, need.for_what);
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let install = format!("apt-get install -y {}", packages.join(" "));
    if !command("apt-get") || !is_root() {
        bail!("the tests need more than this machine has; as root: {install}");
    }
    // Debian would start the server at once; the tests start their own.
    let policy = Path::new("/usr/sbin/policy-rc.d");
    let ours = !policy.exists();
    if ours {
        run::run(
            "sh",
            &[
                "-c",
                "printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d",
            ],
        )?;
    }
    let installed = run::run(
        "sh",
        &["-c", &format!("apt-get update -qq && DEBIAN_FRONTEND=noninteractive {install} -qq > /dev/null")],
    );
    if ours {
        std::fs::remove_file(policy)?;
    }
    installed
}

fn command(name: &str) -> bool {
    silent(Command::new("sh").args(["-c", &format!("command -v {name}")]))
}

fn faketime() -> bool {
    silent(Command::new("sh").args(["-c", "ls /usr/lib/*/faketime/libfaketimeMT.so.1"]))
}

/// May everything be done here?
pub fn is_root() -> bool {
    silent(Command::new("sh").args(["-c", "test \"$(id -u)\" = 0"]))
}

fn silent(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
