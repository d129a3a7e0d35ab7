//! Formatting, lints, and what may depend on what.
//!
//! The same bans and licences as in `deny.toml`, from `cargo metadata` alone, so that it runs without a
//! network. A crate boundary exists to forbid a dependency: the forbidden ones are listed here.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::run;

/// Crate → crates of ours that it may use. Everything else of ours is forbidden to it.
const MAY_USE: &[(&str, &[&str])] = &[
    ("ledger", &[]),
    ("journal", &[]),
    ("bank", &["ledger", "journal"]),
    ("bankcore", &["ledger", "journal", "bank", "sim"]),
    ("sim", &["ledger", "journal", "bank"]),
    ("fuzz", &["ledger", "journal", "bank"]),
    ("xtask", &[]),
];

/// What the rules of money must not know.
const LEDGER_MUST_NOT_USE: &[&str] =
    &["tokio", "sqlx", "axum", "serde", "serde_json", "rand", "getrandom", "tracing"];

/// Crates that must not be in the build, and why.
const BANNED: &[(&str, &str)] = &[
    ("openssl-sys", "TLS is rustls with ring"),
    ("aws-lc-sys", "needs cmake; TLS is rustls with ring"),
    ("cmake", "the build needs gcc and nothing else"),
    ("rsa", "RUSTSEC-2023-0071"),
];

/// Licences that a dependency may have.
const LICENCES: &[&str] = &[
    "Apache-2.0",
    "MIT",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Unicode-3.0",
    "Zlib",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "MPL-2.0",
    "BSL-1.0",
    "0BSD",
    "Unlicense",
];

/// The platform that is built for; other platforms' crates are not in the build.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Runs all checks.
///
/// # Errors
/// At the first that fails.
pub fn run() -> anyhow::Result<()> {
    run::run("cargo", &["fmt", "--all", "--check"])?;
    dependencies()?;
    run::run("cargo", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
}

fn dependencies() -> anyhow::Result<()> {
    eprintln!("==> dependencies");
    let metadata = metadata()?;
    boundaries(&metadata)?;
    bans(&metadata)?;
    licences(&metadata)
}

fn metadata() -> anyhow::Result<Value> {
    let args = ["metadata", "--format-version", "1", "--locked", "--filter-platform", PLATFORM];
    let output = Command::new("cargo").args(args).output()?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn packages(metadata: &Value) -> anyhow::Result<&Vec<Value>> {
    metadata["packages"].as_array().context("cargo metadata lists packages")
}

fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap_or_default()
}

fn boundaries(metadata: &Value) -> anyhow::Result<()> {
    let allowed: BTreeMap<_, BTreeSet<_>> =
        MAY_USE.iter().map(|(name, uses)| (*name, uses.iter().copied().collect())).collect();
    for package in packages(metadata)? {
        let Some(may_use) = allowed.get(name(package)) else { continue };
        if !package["source"].is_null() {
            continue;
        }
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = name(dependency);
            let development = dependency["kind"] == "dev";
            if allowed.contains_key(used) && !may_use.contains(used) && !development {
                bail!("{} must not depend on {used}: see ARCHITECTURE.md", name(package));
            }
            if name(package) == "ledger" && LEDGER_MUST_NOT_USE.contains(&used) {
                bail!("the rules of money must not know {used}: see ARCHITECTURE.md");
            }
        }
    }
    Ok(())
}

fn bans(metadata: &Value) -> anyhow::Result<()> {
    // Packages can be listed without being built; the resolved graph is what counts.
    let nodes = metadata["resolve"]["nodes"].as_array().context("cargo metadata resolves")?;
    let resolved: BTreeSet<_> = nodes.iter().filter_map(|node| node["id"].as_str()).collect();
    for package in packages(metadata)? {
        let built = package["id"].as_str().is_some_and(|id| resolved.contains(id));
        if let Some((banned, why)) = BANNED.iter().find(|(banned, _)| built && *banned == name(package)) {
            bail!("{banned} is in the build: {why}; cargo tree -i {banned} shows who brings it");
        }
    }
    Ok(())
}

fn licences(metadata: &Value) -> anyhow::Result<()> {
    for package in packages(metadata)? {
        let licence = package["license"].as_str().unwrap_or("none");
        // "A OR B" needs one that is allowed, "A AND B" all; exceptions only widen.
        let one_of = |text: &str| text.split(" OR ").any(|one| allowed(one.trim_matches(['(', ')', ' '])));
        let plain = licence.replace('/', " OR ");
        if !plain.split(" AND ").all(one_of) {
            bail!("{} is under {licence}, which is not on the list", name(package));
        }
    }
    Ok(())
}

fn allowed(licence: &str) -> bool {
    let base = licence.split(" WITH ").next().unwrap_or(licence);
    LICENCES.contains(&base)
}
