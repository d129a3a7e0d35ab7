//! `bankcore db`: the tables of a bank whose books are in MySQL or MariaDB.

mod migrate;
mod sql;
mod status;
mod users;

use bank::store::mysql::{self, Migration};
use clap::{Args, Subcommand};

use crate::config::{Config, ServeArgs};
use crate::{output, settings};

/// Make, update and look at the tables of a bank in MySQL or MariaDB, and make their users
#[derive(Subcommand)]
#[allow(missing_docs, reason = "each command's own arguments carry the text that --help shows")]
pub enum Db {
    Migrate(migrate::MigrateArgs),
    Status(status::StatusArgs),
    Users(users::UsersArgs),
    Sql(sql::SqlArgs),
}

/// Runs one of them.
///
/// # Errors
/// Those of the command.
pub fn run(db: &Db) -> anyhow::Result<()> {
    match db {
        Db::Migrate(args) => migrate::run(args),
        Db::Status(args) => status::run(args),
        Db::Users(args) => users::run(args),
        Db::Sql(args) => sql::run(args),
    }
}

/// Which database.
#[derive(Args)]
struct DatabaseArgs {
    /// The database [default: BANKCORE_STORE or the settings file]
    #[arg(long, value_name = "URL")]
    store: Option<String>,

    /// Settings file
    #[arg(long, value_name = "FILE")]
    config: Option<String>,
}

impl DatabaseArgs {
    fn load(&self) -> anyhow::Result<mysql::Settings> {
        let args =
            ServeArgs { store: self.store.clone(), config: self.config.clone(), ..ServeArgs::default() };
        let database = settings::database(&Config::load(&args)?);
        database.ok_or_else(|| {
            anyhow::anyhow!("which database? Give --store mysql://user:password@host:3306/database")
        })
    }
}

fn print(migrations: &[Migration]) -> anyhow::Result<()> {
    let line = |migration: &Migration| {
        let state = if migration.applied { "applied" } else { "pending" };
        format!("{:>4}  {state:<8} {}\n", migration.version, migration.description)
    };
    output::print(migrations.iter().map(line).collect::<String>().trim_end())
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
