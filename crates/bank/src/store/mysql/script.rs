//! The schema as a script that a person can read, and run in the `mysql` or `mariadb` client.
//!
//! It is the migrations themselves, statement by statement behind a DELIMITER, and the rows that the driver notes of
//! them: a database that was made by it is one that was migrated.

use std::fmt::Write;

use ledger::Currency;

use super::schema::{self, LOG, MIGRATIONS};

/// What a statement of the migrations begins with, at the left margin.
const BEGINNINGS: &[&str] =
    &["CREATE ", "ALTER ", "DROP ", "INSERT ", "UPDATE ", "DELETE ", "RENAME ", "SET "];

/// The whole schema: tables, guards, procedures and views.
#[must_use]
pub fn script() -> String {
    let mut text = String::from(
        "-- The books of bankcore in MySQL 8.0.16 or MariaDB 10.11, or newer, for an empty database:\n\
         --\n\
         --   mysql --user=owner --password bank < bank.sql\n\
         --\n\
         -- The same as `bankcore db migrate`. Do not edit it: what a service finds must be what it knows.\n\n\
         SET NAMES utf8mb4;\n",
    );
    let _ = write!(
        text,
        "SET SESSION sql_mode = '{}', SESSION time_zone = '+00:00';\n\n",
        super::session::SQL_MODE
    );
    // Column by column as the driver makes it.
    let _ = write!(
        text,
        "CREATE TABLE {LOG} (\n    version BIGINT PRIMARY KEY,\n    description TEXT NOT NULL,\n    \
         installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,\n    success BOOLEAN NOT NULL,\n    \
         checksum BLOB NOT NULL,\n    execution_time BIGINT NOT NULL\n);\n\nDELIMITER //\n"
    );
    for migration in MIGRATIONS.iter() {
        let rule = "-".repeat(72);
        let _ =
            write!(text, "\n-- {rule}\n-- {:04} {}\n-- {rule}\n\n", migration.version, migration.description);
        for statement in statements(migration.sql.as_str()) {
            let _ = write!(text, "{statement}//\n\n");
        }
        let checksum: String = migration.checksum.iter().map(|byte| format!("{byte:02x}")).collect();
        let _ = write!(
            text,
            "INSERT INTO {LOG} (version, description, success, checksum, execution_time)\n    \
             VALUES ({}, '{}', TRUE, x'{checksum}', -1)//\n",
            migration.version,
            migration.description.replace('\'', "''")
        );
    }
    let _ = write!(text, "\n{}//\n\nDELIMITER ;\n", schema::currency_rows(Currency::all()));
    text
}

/// The names of what migrations make of a kind (`PROCEDURE`, `VIEW`), of those that begin so.
pub(super) fn names(kind: &'static str, beginning: &'static str) -> impl Iterator<Item = &'static str> {
    let lines = MIGRATIONS.iter().flat_map(|migration| migration.sql.as_str().lines());
    let made = lines.filter_map(move |line| {
        let rest = line.strip_prefix("CREATE ")?.strip_prefix(kind)?.strip_prefix(' ')?;
        rest.split([' ', '(']).next()
    });
    made.filter(move |name| name.starts_with(beginning))
}

/// Statement by statement, each with the comments before it and without its semicolon. A statement begins at the left
/// margin, and ends where the next one or its comments begin.
fn statements(sql: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let (mut open, mut begun) = (String::new(), false);
    for line in sql.lines() {
        let begins = BEGINNINGS.iter().any(|beginning| line.starts_with(beginning));
        let ended = begun && open.trim_end().ends_with(';');
        if ended && (begins || line.starts_with("--")) {
            found.push(std::mem::take(&mut open));
            begun = false;
        }
        begun |= begins;
        open.push_str(line);
        open.push('\n');
    }
    found.push(open);
    let whole = found.iter().map(|statement| statement.trim().trim_end_matches(';').to_owned());
    whole.filter(|statement| !statement.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_ends_where_the_next_one_begins() {
        let sql = "-- Story; with a semicolon.\n\nCREATE TABLE a (\n    x INT\n);\n\n-- Why.\nCREATE TRIGGER t\nBEGIN\n    \
                   IF x THEN\n        SIGNAL y;\n    END IF;\nEND;\nCREATE VIEW v AS SELECT 1;\n";
        let found = statements(sql);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[0], "-- Story; with a semicolon.\n\nCREATE TABLE a (\n    x INT\n)");
        assert!(
            found[1].starts_with("-- Why.\nCREATE TRIGGER t") && found[1].ends_with("END"),
            "{}",
            found[1]
        );
        assert_eq!(found[2], "CREATE VIEW v AS SELECT 1");
    }

    #[test]
    fn every_statement_of_the_migrations_is_one_of_the_script() {
        let made = |sql: &str| sql.lines().filter(|line| line.starts_with("CREATE ")).count();
        for migration in MIGRATIONS.iter() {
            let sql = migration.sql.as_str();
            let found = statements(sql);
            let creates = found.iter().map(|statement| made(statement));
            assert!(creates.clone().all(|count| count <= 1), "{}", migration.description);
            assert_eq!(creates.sum::<usize>(), made(sql), "{}", migration.description);
        }
        assert_eq!(names("PROCEDURE", "sp_").count(), 4);
        assert!(names("VIEW", "report_").any(|name| name == "report_accounts"));
    }
}
