//! The schema as a script: who runs it in the server's own client has what migrations make, and the program takes
//! it for that.

use bank::store::mysql;
use sim::server::{Database, MariaDb};

use super::{fresh, name, wait};

/// Everything that the server knows of a schema, line by line, but for names of databases and moments.
fn described(database: &Database) -> Vec<String> {
    let schema = name(database);
    let questions = [
        "SELECT 'table', table_name, engine, table_collation FROM information_schema.tables \
         WHERE table_schema = DATABASE()",
        "SELECT 'column', table_name, ordinal_position, column_name, column_type, is_nullable, column_default, \
         character_set_name, collation_name, extra, generation_expression FROM information_schema.columns \
         WHERE table_schema = DATABASE()",
        "SELECT 'index', table_name, index_name, seq_in_index, column_name, non_unique \
         FROM information_schema.statistics WHERE table_schema = DATABASE()",
        "SELECT 'constraint', table_name, constraint_name, constraint_type \
         FROM information_schema.table_constraints WHERE constraint_schema = DATABASE()",
        "SELECT 'check', constraint_name, check_clause FROM information_schema.check_constraints \
         WHERE constraint_schema = DATABASE()",
        "SELECT 'reference', table_name, constraint_name, referenced_table_name, update_rule, delete_rule \
         FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE()",
        "SELECT 'trigger', event_object_table, trigger_name, action_timing, event_manipulation, sql_mode, \
         action_statement FROM information_schema.triggers WHERE trigger_schema = DATABASE()",
        "SELECT 'routine', routine_name, routine_type, dtd_identifier, is_deterministic, sql_data_access, \
         security_type, sql_mode, character_set_client, routine_definition FROM information_schema.routines \
         WHERE routine_schema = DATABASE()",
        "SELECT 'parameter', specific_name, ordinal_position, parameter_mode, parameter_name, dtd_identifier \
         FROM information_schema.parameters WHERE specific_schema = DATABASE()",
        "SELECT 'view', table_name, security_type, view_definition FROM information_schema.views \
         WHERE table_schema = DATABASE()",
        "SELECT 'currency', numeric_code, code, exponent FROM currencies",
        "SELECT 'migration', version, description, success, HEX(checksum) FROM _sqlx_migrations",
    ];
    let said = MariaDb::shared().client(schema, &questions.join(";\n"));
    // MySQL keeps the semicolon behind a routine that came with others in one packet.
    let line = |line: &str| line.replace(&format!("`{schema}`."), "").trim_end_matches(';').to_owned();
    let mut lines: Vec<String> = said.lines().map(line).collect();
    lines.sort();
    lines
}

#[test]
fn a_database_made_by_the_script_is_a_migrated_one() {
    let (scripted, migrated) = (MariaDb::shared().empty(), MariaDb::shared().migrated());
    let said = MariaDb::shared().script(("root", ""), name(&scripted), &mysql::script());
    assert_eq!(said.as_deref(), Ok(""), "nothing is printed, no statement fails");
    let (scripted_is, migrated_is) = (described(&scripted), described(&migrated));
    assert!(migrated_is.len() > 300, "{} lines", migrated_is.len());
    for (here, there) in scripted_is.iter().zip(&migrated_is) {
        assert_eq!(here, there);
    }
    assert_eq!(scripted_is.len(), migrated_is.len());

    let status = wait(mysql::status(&scripted.settings())).expect("a healthy server");
    assert!(status.iter().all(|migration| migration.applied), "{status:?}");
    let again = wait(mysql::migrate(&scripted.settings())).expect("there is nothing to do");
    assert_eq!(again, status);
    mysql::open(&scripted.settings(), &fresh()).expect("tables that are the program's own");
}

/// Half a script is not taken for a whole one.
#[test]
fn a_script_that_broke_off_is_not_a_schema() {
    let database = MariaDb::shared().empty();
    let script = mysql::script();
    let half = script.find("-- 0003 ").expect("the procedures");
    MariaDb::shared().script(("root", ""), name(&database), &script[..half]).expect("the first half");
    let Err(error) = mysql::open(&database.settings(), &fresh()).map(drop) else { panic!("it opened") };
    assert!(matches!(error, mysql::OpenError::Older { found: 2, .. }), "{error}");
}
