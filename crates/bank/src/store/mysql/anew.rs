//! Tables of which only a part was made: whoever made them was killed, and the server commits each statement on its own.
//!
//! As long as no bank was ever opened in them there is nothing to lose: they are taken away and made anew. Only what
//! the migrations make is touched.

use sqlx::migrate::Migrator;
use sqlx::mysql::MySqlConnection;

use super::session::sql;

/// Was no bank ever opened here, nor begun to be copied?
pub(super) async fn is_without_bank(connection: &mut MySqlConnection) -> Result<bool, sqlx::Error> {
    for table in ["ledger_head", "events", "copied_from"] {
        let there = "SELECT COUNT(*) FROM information_schema.tables \
                     WHERE table_schema = DATABASE() AND table_name = ?";
        let there: i64 = sqlx::query_scalar(there).bind(table).fetch_one(&mut *connection).await?;
        if there == 0 {
            continue;
        }
        let rows = format!("SELECT 1 FROM {table} LIMIT 1");
        if sql(rows).fetch_optional(&mut *connection).await?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Takes away what the migrations make, and the note of which were run.
pub(super) async fn clear(
    connection: &mut MySqlConnection,
    migrations: &Migrator,
    log: &str,
) -> Result<(), sqlx::Error> {
    tracing::warn!("tables were half made and hold no bank; they are made anew");
    sqlx::raw_sql("SET SESSION foreign_key_checks = 0").execute(&mut *connection).await?;
    let texts: Vec<&str> = migrations.iter().map(|migration| migration.sql.as_str()).collect();
    for (kind, name) in texts.iter().flat_map(|text| made_by(text)) {
        sql(format!("DROP {kind} IF EXISTS {name}")).execute(&mut *connection).await?;
    }
    sql(format!("DROP TABLE IF EXISTS {log}")).execute(&mut *connection).await?;
    sqlx::raw_sql("SET SESSION foreign_key_checks = 1").execute(&mut *connection).await?;
    Ok(())
}

/// What a migration makes, by kind and name. Triggers go with their tables.
fn made_by(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| {
        let (kind, rest) = line.strip_prefix("CREATE ")?.split_once(' ')?;
        let name = rest.split([' ', '(']).next()?;
        ["TABLE", "VIEW", "PROCEDURE", "FUNCTION"].contains(&kind).then_some((kind, name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_migration_makes_is_known() {
        let text = "-- CREATE TABLE no\nCREATE TABLE a (\n  b INT\n);\nCREATE VIEW c AS SELECT 1;\n\
                    CREATE TRIGGER d BEFORE\nCREATE PROCEDURE e(\nCREATE FUNCTION f (x INT)\n";
        let made: Vec<_> = made_by(text).collect();
        assert_eq!(made, [("TABLE", "a"), ("VIEW", "c"), ("PROCEDURE", "e"), ("FUNCTION", "f")]);
    }
}
