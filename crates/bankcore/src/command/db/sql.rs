//! `bankcore db sql`: the schema for people, and for the server's own client.

use std::path::PathBuf;

use anyhow::Context as _;
use bank::store::mysql;
use clap::Args;

use crate::output;

/// Write the whole schema as SQL that a person can read, and run in the mysql or mariadb client
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore db sql > bank.sql\n  bankcore db sql --output bank.sql\n\n\
    Then, into an empty database: mysql --comments --user=owner --password bank < bank.sql\n\
    It makes what `bankcore db migrate` makes: tables, guards, procedures and views; `bankcore db status` knows it.")]
pub struct SqlArgs {
    /// Write to this file, which must not be there yet [default: stdout]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes it.
///
/// # Errors
/// If it cannot be written.
pub(super) fn run(args: &SqlArgs) -> anyhow::Result<()> {
    let script = mysql::script();
    let Some(path) = &args.output else { return output::print(&script) };
    let told = || format!("cannot write {}; name a new file in a folder that is there", path.display());
    let mut file = std::fs::File::create_new(path).with_context(told)?;
    std::io::Write::write_all(&mut file, script.as_bytes()).with_context(told)
}
