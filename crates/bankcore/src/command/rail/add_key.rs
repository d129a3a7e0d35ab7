//! `bankcore rail add-key`.

use std::io::Read as _;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};
use crate::output::{self, Column};

/// Add a key to a rail; a secret that the bank makes is printed once
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore rail add-key partner 2026-11\n  \
    bankcore rail add-key partner 2026-11 --secret-file secret.txt\n\n\
    A secret is whsec_ and 24 to 64 bytes in base64. Tell the other side before: from then on it signs.")]
pub struct AddKeyArgs {
    /// The rail
    rail: String,
    /// The key's id: every message names it
    key_id: String,
    /// File with the secret that the other side made, - for standard input [default: the bank makes one]
    #[arg(long, value_name = "FILE")]
    secret_file: Option<String>,
    #[command(flatten)]
    ask: AskArgs,
}

const COLUMNS: [Column; 2] = [("Key", "key_id"), ("Secret", "secret")];

pub(super) fn run(args: &AddKeyArgs) -> anyhow::Result<()> {
    let mut body = json!({"key_id": args.key_id});
    if let Some(file) = &args.secret_file {
        body["secret"] = json!(read(file)?.trim());
    }
    let made =
        client::ask(&args.ask.data, Call::post(format!("/api/v1/rails/{}/keys", segment(&args.rail)), body))?;
    if args.ask.json {
        return output::json(&made);
    }
    output::print(&output::fields(&made, &COLUMNS))
}

fn read(file: &str) -> anyhow::Result<String> {
    if file != "-" {
        return std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"));
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    Ok(text)
}
