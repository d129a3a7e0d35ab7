//! The rows of `subscriptions` and `subscription_secrets`.

use std::collections::BTreeMap;

use sqlx::Row as _;
use uuid::Uuid;

use super::sink::SinkKind;
use super::sink::webhook::signature::SigningSecret;
use super::subscription::{Disabled, Subscription};
use super::template::Templates;
use super::view::Filter;
use crate::database::{Change, Database, DatabaseError};
use crate::http::wire::EVENT_KINDS;
use crate::identity::Role;

/// A secret and the time at which it stops to sign, microseconds since 1970.
pub(super) type Secrets = Vec<(SigningSecret, Option<i64>)>;

/// All subscriptions, oldest first.
pub(super) async fn all(database: &Database) -> Result<Vec<Subscription>, DatabaseError> {
    let fault = |e| database.fault(e);
    let rows = sqlx::query("SELECT * FROM subscriptions ORDER BY created_at, id")
        .fetch_all(database.pool())
        .await
        .map_err(fault)?;
    rows.iter().map(|row| read(row).map_err(fault)).collect()
}

/// One subscription; none if there is none with this id.
pub(super) async fn one(database: &Database, id: Uuid) -> Result<Option<Subscription>, DatabaseError> {
    let fault = |e| database.fault(e);
    let row = sqlx::query("SELECT * FROM subscriptions WHERE id = ?")
        .bind(id.as_bytes().to_vec())
        .fetch_optional(database.pool())
        .await
        .map_err(fault)?;
    row.map(|row| read(&row).map_err(fault)).transpose()
}

pub(super) async fn insert(change: &mut Change, new: &Subscription) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO subscriptions (id, sink, name, target, principal, role, accounts, kinds, filter_accounts,
                                    templates, begins_after, created_at, created_by)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(new.id.as_bytes().to_vec())
    .bind(new.sink.name())
    .bind(new.name.clone())
    .bind(new.target.clone())
    .bind(new.principal.clone())
    .bind(new.role.name())
    .bind(json(&new.accounts))
    .bind(json(&new.filter.kinds))
    .bind(json(&new.filter.accounts))
    .bind(templates(new))
    .bind(new.begins_after.cast_signed())
    .bind(new.created_at_us)
    .bind(new.created_by.clone())
    .execute(change.connection())
    .await
    .map(drop)
}

/// Writes what may change.
pub(super) async fn update(change: &mut Change, changed: &Subscription) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE subscriptions SET name = ?, target = ?, kinds = ?, filter_accounts = ?, templates = ?,
                                  disabled_at = ?, disabled_why = ?
          WHERE id = ?",
    )
    .bind(changed.name.clone())
    .bind(changed.target.clone())
    .bind(json(&changed.filter.kinds))
    .bind(json(&changed.filter.accounts))
    .bind(templates(changed))
    .bind(changed.disabled.as_ref().map(|disabled| disabled.at_us))
    .bind(changed.disabled.as_ref().map(|disabled| disabled.why.clone()))
    .bind(changed.id.as_bytes().to_vec())
    .execute(change.connection())
    .await
    .map(drop)
}

/// Removes a subscription with all that hangs on it.
pub(super) async fn delete(change: &mut Change, id: Uuid) -> Result<(), sqlx::Error> {
    for sql in [
        "DELETE FROM subscription_secrets WHERE subscription_id = ?",
        "DELETE FROM outbox_attempts WHERE subscription_id = ?",
        "DELETE FROM outbox_dead_letters WHERE subscription_id = ?",
        "DELETE FROM outbox_parked WHERE subscription_id = ?",
        "DELETE FROM outbox_marks WHERE subscription_id = ?",
        "DELETE FROM subscriptions WHERE id = ?",
    ] {
        sqlx::query(sql).bind(id.as_bytes().to_vec()).execute(change.connection()).await?;
    }
    Ok(())
}

/// The secrets that sign at `now_us`, the newest first.
pub(super) async fn secrets(database: &Database, id: Uuid, now_us: i64) -> Result<Secrets, DatabaseError> {
    let fault = |e| database.fault(e);
    let rows: Vec<(Vec<u8>, Option<i64>)> = sqlx::query_as(
        "SELECT secret, expires_at FROM subscription_secrets
          WHERE subscription_id = ? AND (expires_at IS NULL OR expires_at > ?) ORDER BY created_at DESC, id DESC",
    )
    .bind(id.as_bytes().to_vec())
    .bind(now_us)
    .fetch_all(database.pool())
    .await
    .map_err(fault)?;
    let read = |(bytes, end): (Vec<u8>, Option<i64>)| {
        let secret = SigningSecret::from_bytes(&bytes).ok_or_else(|| fault(decode("secret")))?;
        Ok((secret, end))
    };
    rows.into_iter().map(read).collect()
}

/// When the newest secret was made, microseconds since 1970; 0 if there is none.
pub(super) async fn secrets_stamp(database: &Database, id: Uuid) -> Result<i64, DatabaseError> {
    sqlx::query_scalar(
        "SELECT COALESCE(MAX(created_at), 0) FROM subscription_secrets WHERE subscription_id = ?",
    )
    .bind(id.as_bytes().to_vec())
    .fetch_one(database.pool())
    .await
    .map_err(|e| database.fault(e))
}

/// Adds a secret; those before it stop to sign at `end_us`, or earlier where that was said before.
pub(super) async fn add_secret(
    change: &mut Change,
    id: Uuid,
    secret_id: Uuid,
    secret: &SigningSecret,
    (now_us, end_us): (i64, i64),
) -> Result<(), sqlx::Error> {
    let subscription = id.as_bytes().to_vec();
    sqlx::query("DELETE FROM subscription_secrets WHERE subscription_id = ? AND expires_at IS NOT NULL")
        .bind(subscription.clone())
        .execute(change.connection())
        .await?;
    if end_us > now_us {
        sqlx::query("UPDATE subscription_secrets SET expires_at = ? WHERE subscription_id = ?")
            .bind(end_us)
            .bind(subscription.clone())
            .execute(change.connection())
            .await?;
    } else {
        sqlx::query("DELETE FROM subscription_secrets WHERE subscription_id = ?")
            .bind(subscription.clone())
            .execute(change.connection())
            .await?;
    }
    sqlx::query(
        "INSERT INTO subscription_secrets (id, subscription_id, secret, created_at) VALUES (?, ?, ?, ?)",
    )
    .bind(secret_id.as_bytes().to_vec())
    .bind(subscription)
    .bind(secret.as_bytes().to_vec())
    .bind(now_us)
    .execute(change.connection())
    .await
    .map(drop)
}

fn read(row: &StoredRow) -> Result<Subscription, sqlx::Error> {
    let id: Vec<u8> = row.try_get("id")?;
    let sink: String = row.try_get("sink")?;
    let role: String = row.try_get("role")?;
    let kinds: Vec<String> = list(row, "kinds")?;
    let known =
        |kind: &String| EVENT_KINDS.into_iter().find(|known| known == kind).ok_or_else(|| decode("kinds"));
    let at: Option<i64> = row.try_get("disabled_at")?;
    let why: Option<String> = row.try_get("disabled_why")?;
    Ok(Subscription {
        id: Uuid::from_slice(&id).map_err(|_| decode("id"))?,
        sink: SinkKind::named(&sink).ok_or_else(|| decode("sink"))?,
        name: row.try_get("name")?,
        target: row.try_get("target")?,
        principal: row.try_get("principal")?,
        role: role.parse::<Role>().map_err(|_| decode("role"))?,
        accounts: list(row, "accounts")?,
        filter: Filter {
            kinds: kinds.iter().map(known).collect::<Result<_, _>>()?,
            accounts: list(row, "filter_accounts")?,
        },
        templates: read_templates(row)?,
        begins_after: row.try_get::<i64, _>("begins_after")?.cast_unsigned(),
        created_at_us: row.try_get("created_at")?,
        created_by: row.try_get("created_by")?,
        disabled: at.zip(why).map(|(at_us, why)| Disabled { at_us, why }),
    })
}

/// None is kept as none, so that rows from before there were templates are as they were.
fn templates(subscription: &Subscription) -> Option<String> {
    let templates = &subscription.templates;
    if templates.is_empty() { None } else { serde_json::to_string(templates).ok() }
}

fn read_templates(row: &StoredRow) -> Result<Templates, sqlx::Error> {
    let text: Option<String> = row.try_get("templates")?;
    let Some(text) = text else { return Ok(Templates::new()) };
    let read: BTreeMap<String, String> = serde_json::from_str(&text).map_err(|_| decode("templates"))?;
    let known = |kind: &str| EVENT_KINDS.into_iter().find(|known| *known == kind);
    let each =
        read.into_iter().map(|(kind, text)| Ok((known(&kind).ok_or_else(|| decode("templates"))?, text)));
    each.collect()
}

type StoredRow = sqlx::any::AnyRow;

fn list<T: serde::de::DeserializeOwned>(
    row: &StoredRow,
    column: &'static str,
) -> Result<Vec<T>, sqlx::Error> {
    let text: String = row.try_get(column)?;
    serde_json::from_str(&text).map_err(|_| decode(column))
}

fn json<T: serde::Serialize>(items: &[T]) -> String {
    serde_json::to_string(items).unwrap_or_else(|_| "[]".to_owned())
}

fn decode(what: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("subscriptions.{what}").into())
}
