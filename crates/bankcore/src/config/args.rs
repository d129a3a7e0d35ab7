//! The flags. Every one is optional, so that "not given" and "given as the default" stay apart.

use clap::Args;

/// The log levels.
pub const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Settings by flag. Each can also be set as BANKCORE_<NAME> or in the settings file.
#[derive(Args, Clone, Default, Debug)]
#[command(next_help_heading = "Settings (also as BANKCORE_<NAME>, or <name> in the settings file)")]
pub struct ServeArgs {
    /// Settings file [default: bankcore.toml in the data folder, if there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<String>,

    /// Data folder [default: bankcore-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,

    /// Books in MySQL or MariaDB: mysql://user:password@host/database [default: in the data folder]
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,

    /// Serve from a database server that can lose what it has acknowledged
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub accept_weak_durability: Option<bool>,

    /// Address and port [default: 127.0.0.1:8400]; beyond loopback needs TLS or --behind-proxy
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,

    /// Start with a demonstration bank
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub demo: Option<bool>,

    /// Rails to other institutions (TOML), set up as the file says at each start
    #[arg(long, value_name = "FILE")]
    pub rails: Option<String>,

    /// What a new bank is called [default: bank, or Demo Bank with --demo]; it keeps its name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Certificate chain for TLS (PEM)
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<String>,

    /// Private key for TLS (PEM)
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<String>,

    /// A proxy in front of this server does TLS
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub behind_proxy: Option<bool>,

    /// Requests a second for each principal [default: 100000]; 0 is no limit
    #[arg(long, value_name = "N")]
    pub quota_per_second: Option<u64>,

    /// Requests at once for each principal [default: 200000]
    #[arg(long, value_name = "N")]
    pub quota_burst: Option<u64>,

    /// Recorded refusals a second for each principal [default: 1000]; 0 is no limit
    #[arg(long, value_name = "N")]
    pub refusal_budget_per_second: Option<u64>,

    /// Recorded refusals at once for each principal [default: 10000]
    #[arg(long, value_name = "N")]
    pub refusal_budget_burst: Option<u64>,

    /// Commands that may wait for the sequencer [default: 65536]
    #[arg(long, value_name = "N")]
    pub queue_submissions: Option<u64>,

    /// Largest body of a request, in bytes [default: 4194304]
    #[arg(long, value_name = "BYTES")]
    pub body_bytes_max: Option<u64>,

    /// A clock that jumps ahead by more than this stops writes until confirmed [default: 300]
    #[arg(long, value_name = "SECONDS")]
    pub clock_jump_seconds: Option<u64>,

    /// Who opens the business day: the calendar or an operator [default: calendar]
    #[arg(long, value_name = "HOW", value_parser = ["calendar", "manual"])]
    pub business_day: Option<String>,

    /// Log level [default: info]
    #[arg(long, value_name = "LEVEL", value_parser = LEVELS)]
    pub log: Option<String>,

    /// Form of log lines [default: text]
    #[arg(long, value_name = "FORM", value_parser = ["text", "json"])]
    pub log_format: Option<String>,

    /// Size of a journal segment in MiB [default: 64]
    #[arg(long, value_name = "MIB")]
    pub segment_mib: Option<u64>,

    /// A snapshot after so many segments [default: 4]
    #[arg(long, value_name = "N")]
    pub snapshot_every_segments: Option<u64>,
}

impl ServeArgs {
    /// What was given for the setting `name`, as text.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<String> {
        let text = |v: &Option<String>| v.clone();
        let number = |v: Option<u64>| v.map(|v| v.to_string());
        let switch = |v: Option<bool>| v.map(|v| v.to_string());
        match name {
            "data" => text(&self.data),
            "store" => text(&self.store),
            "accept_weak_durability" => switch(self.accept_weak_durability),
            "listen" => text(&self.listen),
            "name" => text(&self.name),
            "demo" => switch(self.demo),
            "rails" => text(&self.rails),
            "tls_cert" => text(&self.tls_cert),
            "tls_key" => text(&self.tls_key),
            "behind_proxy" => switch(self.behind_proxy),
            "quota_per_second" => number(self.quota_per_second),
            "quota_burst" => number(self.quota_burst),
            "refusal_budget_per_second" => number(self.refusal_budget_per_second),
            "refusal_budget_burst" => number(self.refusal_budget_burst),
            "queue_submissions" => number(self.queue_submissions),
            "body_bytes_max" => number(self.body_bytes_max),
            "clock_jump_seconds" => number(self.clock_jump_seconds),
            "business_day" => text(&self.business_day),
            "log" => text(&self.log),
            "log_format" => text(&self.log_format),
            "segment_mib" => number(self.segment_mib),
            "snapshot_every_segments" => number(self.snapshot_every_segments),
            _ => None,
        }
    }
}
