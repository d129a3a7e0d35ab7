//! The settings as a specification.

use std::collections::HashMap;
use std::path::Path;

use clap::{Args, Parser};
use tempfile::TempDir;

use super::settings::{SETTINGS, flag_of, variable_of};
use super::*;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    serve: ServeArgs,
}

/// A folder, and the settings for flags and variables; `{dir}` stands for the folder.
struct Case {
    dir: TempDir,
}

impl Case {
    fn new() -> Case {
        Case { dir: TempDir::new().unwrap() }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn file(self, name: &str, text: &str) -> Case {
        std::fs::write(self.path().join(name), text).unwrap();
        self
    }

    fn load(&self, flags: &str, env: &[(&str, &str)]) -> Result<Config, String> {
        let fill = |text: &str| text.replace("{dir}", self.path().to_str().unwrap());
        let flags = fill(flags);
        let cli = Cli::try_parse_from(["bankcore"].into_iter().chain(flags.split_whitespace()))
            .map_err(|e| e.to_string())?;
        let env: HashMap<_, _> = env.iter().map(|(k, v)| (*k, OsString::from(fill(v)))).collect();
        Config::resolve(&cli.serve, &|name| env.get(name).cloned()).map_err(|e| {
            let text = e.to_string();
            assert!(!text.contains('\n') && text.contains(';'), "one line with a remedy: {text}");
            text
        })
    }

    fn error(&self, flags: &str, env: &[(&str, &str)]) -> String {
        self.load(flags, env).expect_err("refused")
    }
}

fn row(config: &Config, name: &str) -> String {
    let (_, value) = config.values.rows().find(|(n, _)| *n == name).unwrap();
    format!("{} {}", value.text, value.origin)
}

#[test]
fn without_a_word_the_defaults_hold() {
    let config = Case::new().load("--data {dir}/none", &[]).unwrap();
    assert_eq!(config.listen, "127.0.0.1:8400".parse().unwrap());
    assert_eq!(config.quota, Rate { per_second: 100_000, burst: 200_000 });
    assert_eq!(config.refusal_budget, Rate { per_second: 1_000, burst: 10_000 });
    assert_eq!(config.clock_jump, Duration::from_secs(300));
    assert_eq!(config.business_day, BusinessDay::Calendar);
    assert_eq!(config.segment_bytes, 64 << 20);
    assert_eq!((config.demo, config.tls.is_none(), config.log_format), (false, true, LogFormat::Text));
}

#[test]
fn a_flag_wins_over_the_environment_over_the_file_over_the_default() {
    let case = Case::new().file("bankcore.toml", "log = 'warn'\nquota_burst = 5\nsegment_mib = 8");
    let env = [("BANKCORE_DATA", "{dir}"), ("BANKCORE_QUOTA_BURST", "6"), ("BANKCORE_SEGMENT_MIB", "9")];
    let config = case.load("--segment-mib 10", &env).unwrap();
    assert_eq!(row(&config, "segment_mib"), "10 flag --segment-mib");
    assert_eq!(row(&config, "quota_burst"), "6 env BANKCORE_QUOTA_BURST");
    assert_eq!(row(&config, "log"), format!("warn file {}/bankcore.toml", case.path().display()));
    assert_eq!(row(&config, "log_format"), "text default");
}

#[test]
fn the_file_that_is_named_counts_alone_and_its_paths_start_at_its_folder() {
    let case = Case::new()
        .file("bankcore.toml", "log = 'warn'")
        .file("named.toml", "data = 'books'\ntls_cert = 'c.pem'\ntls_key = '/k.pem'");
    for (flags, env) in
        [("--config {dir}/named.toml", &[][..]), ("", &[("BANKCORE_CONFIG", "{dir}/named.toml")])]
    {
        let config = case.load(flags, env).unwrap();
        assert_eq!(config.data, case.path().join("books"));
        assert_eq!(config.tls.unwrap(), Tls { cert: case.path().join("c.pem"), key: "/k.pem".into() });
        assert_eq!(config.log, "info");
    }
}

#[test]
fn a_switch_can_be_taken_back() {
    let case = Case::new().file("bankcore.toml", "demo = true");
    assert!(case.load("--data {dir}", &[]).unwrap().demo);
    assert!(!case.load("--data {dir} --demo=false", &[("BANKCORE_DEMO", "1")]).unwrap().demo);
    assert!(case.load("--data {dir} --demo", &[("BANKCORE_DEMO", "false")]).unwrap().demo);
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_known_one() {
    for (name, meant) in
        [("lisen", "listen"), ("tls-cert", "tls_cert"), ("quotaBurst", "quota_burst"), ("logs", "log")]
    {
        let case = Case::new().file("bankcore.toml", &format!("{name} = 1"));
        let error = case.error("--data {dir}", &[]);
        assert!(
            error.ends_with(&format!("bankcore.toml: there is no setting {name:?}; did you mean {meant}?")),
            "{error}"
        );
    }
}

#[test]
fn a_bad_value_is_named_with_its_origin_and_what_would_be_right() {
    let case = Case::new();
    for (flags, env, message) in [
        (
            "--listen nowhere",
            None,
            "listen = \"nowhere\" (from flag --listen) does not fit; use an address and a port such as 127.0.0.1:8400",
        ),
        (
            "",
            Some(("BANKCORE_DEMO", "perhaps")),
            "demo = \"perhaps\" (from env BANKCORE_DEMO) does not fit; use true or false",
        ),
        (
            "",
            Some(("BANKCORE_LOG", "loud")),
            "log = \"loud\" (from env BANKCORE_LOG) does not fit; use off, error, warn, info, debug or trace",
        ),
        (
            "",
            Some(("BANKCORE_TLS_CERT", "")),
            "tls_cert = \"\" (from env BANKCORE_TLS_CERT) does not fit; use a value, or leave the setting out",
        ),
        (
            "",
            Some(("BANKCORE_SEGMENT_MIB", "-1")),
            "segment_mib = \"-1\" (from env BANKCORE_SEGMENT_MIB) does not fit; use a whole number from 1 to 1024",
        ),
        (
            "--segment-mib 4096",
            None,
            "segment_mib = \"4096\" (from flag --segment-mib) does not fit; use a whole number from 1 to 1024",
        ),
    ] {
        assert_eq!(case.error(&format!("--data {{dir}} {flags}"), env.as_slice()), message);
    }
}

#[test]
fn a_bank_has_a_name_that_its_books_can_hold() {
    let case = Case::new();
    assert_eq!(case.load("--data {dir}", &[]).unwrap().name, "bank");
    assert_eq!(case.load("--data {dir} --demo", &[]).unwrap().name, "Demo Bank");
    let named = [("BANKCORE_NAME", "First Bank of Dhaka")];
    assert_eq!(case.load("--data {dir} --demo", &named).unwrap().name, "First Bank of Dhaka");
    // Bytes count: a Bengali letter has three.
    for (name, fits) in [("ক".repeat(42), true), ("ক".repeat(43), false), ("two\nlines".to_owned(), false)]
    {
        let loaded = case.load("--data {dir}", &[("BANKCORE_NAME", &name)]);
        match loaded {
            Ok(config) => assert!(fits && config.name == name),
            Err(error) => assert!(!fits && error.ends_with("use one line of at most 128 bytes"), "{error}"),
        }
    }
}

#[test]
fn a_file_that_cannot_be_used_says_why() {
    let case = Case::new().file("bad.toml", "log = 'info'\nlisten =").file("list.toml", "listen = ['a']");
    assert!(case.error("--config {dir}/bad.toml", &[]).contains("bad.toml line 2 is not TOML"));
    assert!(case.error("--config {dir}/none.toml", &[]).contains("cannot read"));
    assert!(case.error("--config {dir}/list.toml", &[]).contains("use text, a whole number, true or false"));
    let inside = Case::new().file("bankcore.toml", "data = 'elsewhere'");
    assert!(inside.error("--data {dir}", &[]).contains("cannot name it; use --data"));
}

#[test]
fn beyond_loopback_needs_tls_or_a_proxy() {
    for (listen, tls, proxy, allowed) in [
        ("127.0.0.1:1", false, false, true),
        ("127.9.9.9:1", false, false, true),
        ("[::1]:1", false, false, true),
        ("[::ffff:127.0.0.1]:1", false, false, true),
        ("0.0.0.0:1", false, false, false),
        ("[::]:1", false, false, false),
        ("192.168.0.1:1", false, false, false),
        ("0.0.0.0:1", true, false, true),
        ("0.0.0.0:1", false, true, true),
    ] {
        let result = check_exposure(listen.parse().unwrap(), tls, proxy);
        assert_eq!(result.is_ok(), allowed, "{listen} tls {tls} proxy {proxy}");
    }
    let case = Case::new();
    let error = case.error("--data {dir} --listen 0.0.0.0:8400", &[]);
    assert!(error.contains("set --tls-cert and --tls-key, or --behind-proxy"), "{error}");
    assert!(case.load("--data {dir} --listen 0.0.0.0:8400 --behind-proxy", &[]).is_ok());
    assert!(case.load("--data {dir} --listen localhost:8400", &[]).is_ok());
}

#[test]
fn tls_needs_both_files() {
    let error = Case::new().error("--data {dir} --tls-cert c.pem", &[]);
    assert_eq!(error, "TLS needs tls_cert and tls_key; set tls_key too");
}

#[test]
fn the_settings_are_shown_with_their_origins() {
    let shown = Case::new().load("--data d --demo", &[("BANKCORE_LOG", "debug")]).unwrap().render();
    let lines: Vec<_> = shown.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(lines[0], "data d flag --data");
    for line in ["listen 127.0.0.1:8400 default", "demo true flag --demo"] {
        assert!(lines.contains(&line.to_owned()), "{line}");
    }
    assert!(lines.contains(&"log debug env BANKCORE_LOG".to_owned()));
    assert_eq!(lines.len(), SETTINGS.len());
}

/// The one secret among the settings.
#[test]
fn the_password_of_a_database_is_never_shown() {
    let shown = Case::new().load("--store mysql://app:s3:cr@et@host:1/bank", &[]).unwrap().render();
    assert!(
        shown.contains("mysql://app:***@host:1/bank") && !shown.contains("s3") && !shown.contains("cr@et")
    );
    let error = Case::new().error("--store postgres://app:s3cret@host/bank", &[]);
    assert!(error.contains("mysql://") && !error.contains("s3cret"), "{error}");
}

#[test]
fn every_setting_has_a_flag_a_variable_and_its_default_in_the_help() {
    let command = ServeArgs::augment_args(clap::Command::new("serve"));
    let flags: Vec<_> =
        command.get_arguments().filter_map(|a| a.get_long()).filter(|l| *l != "config").collect();
    let names: Vec<_> = SETTINGS.iter().map(|s| flag_of(s.name)).collect();
    assert_eq!(flags.iter().map(|l| format!("--{l}")).collect::<Vec<_>>(), names);
    for (setting, argument) in SETTINGS.iter().zip(command.get_arguments().skip(1)) {
        let help = argument.get_help().unwrap().to_string();
        let told = setting.default.is_empty() || setting.default == "false" || help.contains(setting.default);
        assert!(told, "{}: {help}", setting.name);
    }
}

#[test]
fn every_flag_and_every_variable_reaches_its_setting() {
    let case = Case::new();
    for setting in SETTINGS {
        let value = match setting.name {
            "listen" => "127.0.0.1:1",
            "store" => "mysql://user@host/bank",
            "demo" | "behind_proxy" | "accept_weak_durability" => "true",
            "business_day" => "manual",
            "log" => "trace",
            "log_format" => "json",
            "tls_cert" | "tls_key" | "data" | "name" | "event_file" => "x",
            "webhook_allow" => "127.0.0.1,10.0.0.0/8",
            "nats" => "nats://host",
            "rabbitmq" => "amqp://host",
            _ => "2000",
        };
        let value = if setting.name == "segment_mib" { "128" } else { value };
        let tls = |given: &str| match given {
            "nats_intake" => "--nats=nats://host",
            "rabbitmq_intake" => "--rabbitmq=amqp://host",
            "tls_cert" => "--tls-key=y",
            "tls_key" => "--tls-cert=y",
            _ => "",
        };
        let flag =
            case.load(&format!("{}={value} {}", flag_of(setting.name), tls(setting.name)), &[]).unwrap();
        assert_eq!(row(&flag, setting.name), format!("{value} flag {}", flag_of(setting.name)));
        let variable = variable_of(setting.name);
        let env = case.load(tls(setting.name), &[(variable.as_str(), value)]).unwrap();
        assert_eq!(row(&env, setting.name), format!("{value} env {variable}"));
    }
}
