//! Three users of the database, each with what it needs and nothing else.
//!
//! ```text
//!  owner        makes the tables; triggers, procedures and views act with its rights. Nobody works as it from day to day
//!  application  the services and whoever calls the procedures: adds rows, changes the few columns that change
//!  reporting    reads the views that begin with report_
//! ```
//! Rights on a table can be given when it is there. So the owner comes first, then the tables, made as the owner,
//! then the rights of the other two: see [`create`].

use sqlx::Row;
use sqlx::mysql::MySqlConnection;

use super::failure::OpenError;
use super::rights::RIGHTS;
use super::session::{self, Settings, sql, within};
use super::{schema, script};

/// What the owner may do in its database: what migrations need, and what triggers and procedures do in its name.
const OWNER: &str = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, TRIGGER, CREATE VIEW, \
                     SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EXECUTE";

/// Letters of a user's name, at most.
const NAME_MAX: usize = 32;

/// A user to be.
#[derive(Clone)]
pub struct User {
    /// 1 to 32 characters out of `A-Z a-z 0-9 . _ -`.
    pub name: String,
    /// What it signs in with; a user who is there keeps theirs if none is given.
    pub password: Option<String>,
}

/// Not the password.
impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The three of a bank.
#[derive(Clone, Debug)]
pub struct Users {
    /// Makes the tables.
    pub owner: User,
    /// Services and procedures.
    pub application: User,
    /// Reads the reports.
    pub reporting: User,
    /// From where they may connect, as the server writes it: `%`, `localhost`, `10.0.0.%`.
    pub host: String,
}

/// What could not be written as a user.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// A name that is none.
    #[error("not a user name ({0}); use 1 to 32 characters out of A-Z a-z 0-9 . _ -")]
    Name(String),
    /// Two of them are one.
    #[error("two users share the name {0}; give each its own")]
    Twice(String),
    /// A host that is none.
    #[error("not a host ({0}); write it as the server does: %, localhost or 10.0.0.%")]
    Host(String),
    /// A password that is none.
    #[error("the password of {0} is empty or holds a control character; give another one")]
    Password(String),
    /// A new user without a password.
    #[error("{0} is new and needs a password")]
    NoPassword(String),
    /// The tables are to be made as somebody whose password is not known.
    #[error("there are no tables yet, and the password of {0}, who is to make them, was not given; give it")]
    Owner(String),
    /// The server.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl Users {
    /// Names, passwords and host that can be written into a statement.
    ///
    /// # Errors
    /// The first that cannot.
    pub fn check(&self) -> Result<(), UsersError> {
        let mut names: Vec<&str> = Vec::new();
        for user in self.all() {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            if user.name.is_empty() || user.name.len() > NAME_MAX || !user.name.bytes().all(plain) {
                return Err(UsersError::Name(user.name.clone()));
            }
            if names.contains(&&*user.name) {
                return Err(UsersError::Twice(user.name.clone()));
            }
            names.push(&user.name);
            let unfit = |password: &String| password.is_empty() || password.chars().any(char::is_control);
            if user.password.as_ref().is_some_and(unfit) {
                return Err(UsersError::Password(user.name.clone()));
            }
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-%:/".contains(&byte);
        if self.host.is_empty() || self.host.len() > 60 || !self.host.bytes().all(plain) {
            return Err(UsersError::Host(self.host.clone()));
        }
        Ok(())
    }

    /// The three, in the order in which they are made.
    #[must_use]
    pub fn all(&self) -> [&User; 3] {
        [&self.owner, &self.application, &self.reporting]
    }

    /// The same, to be changed.
    #[must_use]
    pub fn all_mut(&mut self) -> [&mut User; 3] {
        [&mut self.owner, &mut self.application, &mut self.reporting]
    }

    /// The statements that make the users, and give the owner its rights in `database`.
    fn making(&self, database: &str) -> Vec<String> {
        let mut statements: Vec<String> = Vec::new();
        for user in self.all() {
            let account = self.account(user);
            let password =
                user.password.as_deref().map(|password| format!(" IDENTIFIED BY {}", text(password)));
            statements
                .push(format!("CREATE USER IF NOT EXISTS {account}{}", password.clone().unwrap_or_default()));
            statements.extend(password.map(|password| format!("ALTER USER {account}{password}")));
        }
        // In a database's name these two stand for others, unless they are marked.
        let pattern = database.replace('\\', "\\\\").replace('_', "\\_").replace('%', "\\%");
        statements.push(format!("GRANT {OWNER} ON {}.* TO {}", quoted(&pattern), self.account(&self.owner)));
        statements
    }

    /// The statements that give the others theirs, once the tables are there.
    fn granting(&self, database: &str) -> Vec<String> {
        let database = quoted(database);
        let (application, reporting) = (self.account(&self.application), self.account(&self.reporting));
        let tables = RIGHTS.iter().map(|right| {
            format!("GRANT {} ON {database}.{} TO {application}", right.privileges(), quoted(right.table))
        });
        let procedures = script::names("PROCEDURE", "sp_")
            .map(|name| format!("GRANT EXECUTE ON PROCEDURE {database}.{} TO {application}", quoted(name)));
        let views = script::names("VIEW", "report_")
            .map(|name| format!("GRANT SELECT ON {database}.{} TO {reporting}", quoted(name)));
        tables.chain(procedures).chain(views).collect()
    }

    /// Everything as a script for an administrator.
    ///
    /// # Errors
    /// As [`Users::check`], and a URL that names no database.
    pub fn script(&self, settings: &Settings) -> Result<String, UsersError> {
        self.check()?;
        let database = settings.database()?;
        let lines =
            |statements: Vec<String>| statements.iter().map(|one| format!("{one};\n")).collect::<String>();
        Ok(format!(
            "-- As an administrator.\n{}\n-- Then the tables, as {}: bankcore db migrate, or the script of bankcore db sql.\n\n\
             -- As an administrator again, when the tables are there.\n{}",
            lines(self.making(&database)),
            self.owner.name,
            lines(self.granting(&database))
        ))
    }

    fn account(&self, user: &User) -> String {
        format!("{}@{}", text(&user.name), text(&self.host))
    }
}

/// Which of the users are there already.
///
/// # Errors
/// As [`create`].
pub async fn known(settings: &Settings, users: &Users) -> Result<[bool; 3], UsersError> {
    users.check()?;
    let mut administrator = connect(settings).await?;
    let mut known = [false; 3];
    for (known, user) in known.iter_mut().zip(users.all()) {
        let question = format!(
            "SELECT COUNT(*) FROM mysql.user WHERE User={} AND Host={}",
            text(&user.name),
            text(&users.host)
        );
        let row =
            within(settings.patience, sql(question).fetch_one(&mut administrator)).await.map_err(fault)?;
        *known = row.try_get::<i64, _>(0).map_err(fault)? > 0;
    }
    Ok(known)
}

/// Makes the users, the tables as the owner if there are none, and gives the users their rights. May be done again:
/// who is there keeps their password unless one is given, and gets what a newer program needs.
///
/// `settings` name an administrator, who may create users and give them rights in the database.
///
/// # Errors
/// [`UsersError`]; what was done until then stays done.
pub async fn create(settings: &Settings, users: &Users) -> Result<(), UsersError> {
    let database = settings.database()?;
    for (known, user) in known(settings, users).await?.into_iter().zip(users.all()) {
        if !known && user.password.is_none() {
            return Err(UsersError::NoPassword(user.name.clone()));
        }
    }
    let mut administrator = connect(settings).await?;
    let to_be_made = schema::is_to_be_made(settings).await?;
    if to_be_made {
        check_trust(settings, &mut administrator).await?;
    }
    run(settings, &mut administrator, users.making(&database)).await?;
    if to_be_made {
        let password =
            users.owner.password.as_deref().ok_or_else(|| UsersError::Owner(users.owner.name.clone()))?;
        schema::migrate_as(settings, &users.owner.name, password).await?;
    }
    run(settings, &mut administrator, users.granting(&database)).await
}

/// MySQL keeps a binary log unless it is told otherwise. Asked before any user is made: half of this, with passwords
/// that were never shown, helps nobody.
async fn check_trust(settings: &Settings, administrator: &mut MySqlConnection) -> Result<(), OpenError> {
    let question = "SHOW GLOBAL VARIABLES WHERE (Variable_name = 'log_bin' AND Value = 'ON') \
                    OR (Variable_name = 'log_bin_trust_function_creators' AND Value = 'OFF')";
    let found = within(settings.patience, sqlx::raw_sql(question).fetch_all(administrator)).await;
    match found.map_err(fault)?.len() {
        2 => Err(OpenError::distrust("the owner could make no triggers".into())),
        _ => Ok(()),
    }
}

async fn run(
    settings: &Settings,
    connection: &mut MySqlConnection,
    statements: Vec<String>,
) -> Result<(), UsersError> {
    for statement in statements {
        within(settings.patience, sql(statement).execute(&mut *connection)).await.map_err(fault)?;
    }
    Ok(())
}

async fn connect(settings: &Settings) -> Result<MySqlConnection, UsersError> {
    Ok(session::connect(&settings.options()?, settings.patience).await.map_err(fault)?)
}

fn fault(error: sqlx::Error) -> OpenError {
    match OpenError::from_driver(&error) {
        OpenError::Privilege { why, .. } => OpenError::Privilege {
            why,
            remedy: "sign in as a user who may create users and give them rights in this database".into(),
        },
        other => other,
    }
}

/// A literal. The session does not take `\` for itself unless it is doubled.
fn text(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}

/// An identifier.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users() -> Users {
        let user = |name: &str| User { name: name.into(), password: Some(format!("{name}'s \\secret")) };
        Users {
            owner: user("owner"),
            application: user("app"),
            reporting: user("reports"),
            host: "10.%".into(),
        }
    }

    #[test]
    fn the_script_quotes_what_it_is_given() {
        let settings = Settings::new("mysql://root@localhost/my_bank");
        let script = users().script(&settings).expect("names that can be written");
        for line in [
            r"CREATE USER IF NOT EXISTS 'app'@'10.%' IDENTIFIED BY 'app''s \\secret';",
            r"EXECUTE ON `my\_bank`.* TO 'owner'@'10.%';",
            "GRANT SELECT, INSERT ON `my_bank`.`events` TO 'app'@'10.%';",
            "GRANT EXECUTE ON PROCEDURE `my_bank`.`sp_transfer` TO 'app'@'10.%';",
            "GRANT SELECT ON `my_bank`.`report_entries` TO 'reports'@'10.%';",
        ] {
            assert!(script.contains(line), "{line} in {script}");
        }
        assert!(!format!("{:?}", users()).contains("secret"));
    }

    #[test]
    fn what_cannot_be_written_as_a_user_is_refused() {
        let with = |change: fn(&mut Users)| {
            let mut users = users();
            change(&mut users);
            users.check()
        };
        assert!(with(|_| ()).is_ok());
        assert!(with(|users| users.owner.name = "a".repeat(NAME_MAX)).is_ok());
        assert!(matches!(
            with(|users| users.owner.name = "a".repeat(NAME_MAX + 1)),
            Err(UsersError::Name(_))
        ));
        for name in ["", "two words", "o'neil", "a`b"] {
            let mut users = users();
            users.application.name = name.into();
            assert!(matches!(users.check(), Err(UsersError::Name(_))), "{name}");
        }
        assert!(matches!(with(|users| users.reporting.name = "app".into()), Err(UsersError::Twice(_))));
        assert!(matches!(with(|users| users.host = "' OR 1".into()), Err(UsersError::Host(_))));
        assert!(matches!(
            with(|users| users.owner.password = Some("a\nb".into())),
            Err(UsersError::Password(_))
        ));
        assert!(matches!(
            with(|users| users.owner.password = Some(String::new())),
            Err(UsersError::Password(_))
        ));
    }
}
