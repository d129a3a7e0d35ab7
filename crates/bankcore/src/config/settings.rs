//! The table of settings: one row each, in the order in which they are shown.
//!
//! Flag, variable and the name in the file are one name: `quota_burst` is `--quota-burst` and
//! `BANKCORE_QUOTA_BURST`. The tests hold this table, the flags and [`super::Config`] together.

/// One setting.
pub struct Setting {
    /// Its name in the file.
    pub name: &'static str,
    /// What holds if nobody says otherwise; empty for "not set".
    pub default: &'static str,
    /// A path: relative to the file that names it.
    pub path: bool,
}

const fn setting(name: &'static str, default: &'static str) -> Setting {
    Setting { name, default, path: false }
}

const fn path(name: &'static str, default: &'static str) -> Setting {
    Setting { name, default, path: true }
}

/// Every setting.
pub const SETTINGS: &[Setting] = &[
    path("data", "bankcore-data"),
    setting("store", ""),
    setting("accept_weak_durability", "false"),
    setting("listen", "127.0.0.1:8400"),
    setting("demo", "false"),
    path("rails", ""),
    setting("name", ""),
    path("tls_cert", ""),
    path("tls_key", ""),
    setting("behind_proxy", "false"),
    setting("quota_per_second", "100000"),
    setting("quota_burst", "200000"),
    setting("refusal_budget_per_second", "1000"),
    setting("refusal_budget_burst", "10000"),
    setting("queue_submissions", "65536"),
    setting("body_bytes_max", "4194304"),
    setting("clock_jump_seconds", "300"),
    setting("business_day", "calendar"),
    setting("log", "info"),
    setting("log_format", "text"),
    setting("segment_mib", "64"),
    setting("snapshot_every_segments", "4"),
];

/// The flag of a setting, with its dashes.
#[must_use]
pub fn flag_of(name: &str) -> String {
    format!("--{}", name.replace('_', "-"))
}

/// The environment variable of a setting.
#[must_use]
pub fn variable_of(name: &str) -> String {
    format!("BANKCORE_{}", name.to_uppercase())
}

/// The setting whose name is most like `name`.
#[must_use]
pub fn nearest(name: &str) -> &'static str {
    let wanted = name.to_lowercase().replace('-', "_");
    SETTINGS.iter().map(|s| s.name).min_by_key(|known| distance(&wanted, known)).unwrap_or("data")
}

/// How many letters must be put in, taken out or exchanged (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
