//! `bankcore db users`: the users of the database, each with what it needs and nothing else.
//!
//! No password is ever an argument: arguments are to be seen by everyone on the machine.

use std::io::IsTerminal as _;

use anyhow::{Context as _, bail};
use bank::store::mysql::users::{self, User, Users};
use clap::Args;

use super::DatabaseArgs;
use crate::output;

/// Make the users of the database: owner, application and reporting, with least privilege
#[derive(Args)]
#[command(
    after_help = "Examples:\n  BANKCORE_STORE=mysql://root:secret@localhost:3306/bank bankcore db users\n  \
    bankcore db users --store mysql://root@localhost:3306/bank --host 10.0.0.% --ask\n  \
    bankcore db users --store mysql://root@localhost:3306/bank --print\n\n\
    The URL names an administrator, and the database, which must be there. If it has no tables yet, they are made as \
    the owner. Passwords come from BANKCORE_OWNER_PASSWORD, BANKCORE_APPLICATION_PASSWORD and \
    BANKCORE_REPORTING_PASSWORD, or are asked for with --ask; a new user without one gets one that is shown once. \
    Run it again after an update of bankcore: who is there keeps their password and gets what the new version needs.\n\n\
    Services and procedures work as the application user, `db migrate` and `verify` as the owner."
)]
pub struct UsersArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    /// Makes the tables
    #[arg(long, value_name = "NAME", default_value = "bank_owner")]
    owner: String,

    /// Runs the services and calls the procedures
    #[arg(long, value_name = "NAME", default_value = "bank_application")]
    application: String,

    /// Reads the reports
    #[arg(long, value_name = "NAME", default_value = "bank_reporting")]
    reporting: String,

    /// From where they may connect, as the server writes it
    #[arg(long, value_name = "HOST", default_value = "localhost")]
    host: String,

    /// Ask for the passwords
    #[arg(long)]
    ask: bool,

    /// Print the statements instead of running them
    #[arg(long)]
    print: bool,
}

/// The environment variables with the passwords, in the order of [`Users::all`].
const VARIABLES: [&str; 3] =
    ["BANKCORE_OWNER_PASSWORD", "BANKCORE_APPLICATION_PASSWORD", "BANKCORE_REPORTING_PASSWORD"];

/// Makes them, or prints how.
///
/// # Errors
/// Why they were not made.
pub(super) fn run(args: &UsersArgs) -> anyhow::Result<()> {
    let settings = args.database.load()?;
    let user = |name: &str| User { name: name.to_owned(), password: None };
    let mut users = Users {
        owner: user(&args.owner),
        application: user(&args.application),
        reporting: user(&args.reporting),
        host: args.host.clone(),
    };
    let runtime = super::runtime()?;
    let known = match args.print {
        true => [false; 3],
        false => runtime.block_on(users::known(&settings, &users))?,
    };
    let mut told = String::new();
    for ((user, known), variable) in users.all_mut().into_iter().zip(known).zip(VARIABLES) {
        user.password = given(&user.name, variable, args.ask)?;
        if user.password.is_none() && !known {
            let password = generated()?;
            told.push_str(&format!("{:<20} {password}\n", user.name));
            user.password = Some(password);
        }
    }
    if args.print {
        return output::print(&users.script(&settings)?);
    }
    runtime.block_on(users::create(&settings, &users))?;
    let names: Vec<&str> = users.all().iter().map(|user| &*user.name).collect();
    let made = format!("{} may work on the database from {}.", names.join(", "), users.host);
    match told.is_empty() {
        true => output::print(&made),
        false => output::print(&format!("{made}\nPasswords, shown this once:\n{told}")),
    }
}

fn given(name: &str, variable: &str, ask: bool) -> anyhow::Result<Option<String>> {
    if let Some(password) = std::env::var_os(variable) {
        let password = password.into_string();
        return password
            .map(Some)
            .map_err(|_| anyhow::anyhow!("{variable} is not UTF-8; give another password"));
    }
    if !ask {
        return Ok(None);
    }
    if !std::io::stdin().is_terminal() {
        bail!("there is nobody to ask for a password; set {variable}");
    }
    let terminal = console::Term::stderr();
    terminal.write_str(&format!("Password of {name}: "))?;
    let password =
        terminal.read_secure_line().context("the password cannot be read; set it in the environment")?;
    Ok(Some(password))
}

/// Thirty-two letters of sixty-four: 192 bits.
fn generated() -> anyhow::Result<String> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("the system gives no randomness ({error}); check /dev/urandom"))?;
    Ok(bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte & 63)])).collect())
}
