//! Columns of the bank database as values: whole numbers, texts, ids.

use sqlx::{Error, Row as _};
use uuid::Uuid;

/// A row as the driver gives it.
pub(crate) type Row = sqlx::any::AnyRow;

/// A connection within a change.
pub(crate) type Connection = sqlx::AnyConnection;

pub(crate) fn int(row: &Row, column: &str) -> Result<i64, Error> {
    row.try_get(column)
}

pub(crate) fn optional_int(row: &Row, column: &str) -> Result<Option<i64>, Error> {
    row.try_get(column)
}

pub(crate) fn text(row: &Row, column: &str) -> Result<String, Error> {
    row.try_get(column)
}

pub(crate) fn optional_text(row: &Row, column: &str) -> Result<Option<String>, Error> {
    row.try_get(column)
}

pub(crate) fn id(row: &Row, column: &str) -> Result<Uuid, Error> {
    let bytes: Vec<u8> = row.try_get(column)?;
    Uuid::from_slice(&bytes).map_err(|error| Error::Decode(Box::new(error)))
}

pub(crate) fn optional_id(row: &Row, column: &str) -> Result<Option<Uuid>, Error> {
    let bytes: Option<Vec<u8>> = row.try_get(column)?;
    bytes.map(|bytes| Uuid::from_slice(&bytes).map_err(|error| Error::Decode(Box::new(error)))).transpose()
}

/// A value that only this program writes, and that it does not know: the row was changed by something else.
pub(crate) fn strange(column: &str, value: &str) -> Error {
    Error::Decode(format!("{column} holds {value:?}").into())
}

/// The number of the next row of a table whose rows are never deleted. Within a change: one writer at a time.
pub(crate) async fn next_number(connection: &mut Connection, table: &'static str) -> Result<i64, Error> {
    let sql = match table {
        "payments" => "SELECT number FROM payments ORDER BY number DESC LIMIT 1",
        "promises" => "SELECT number FROM promises ORDER BY number DESC LIMIT 1",
        _ => "SELECT number FROM cases ORDER BY number DESC LIMIT 1",
    };
    let last: Option<i64> = sqlx::query_scalar(sql).fetch_optional(connection).await?;
    Ok(last.unwrap_or(0) + 1)
}
