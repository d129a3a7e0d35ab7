//! What stands at the end: accounts, balances, names, currencies and the head beside the fold of all events; and
//! what others have found and written down, which is shown.

use journal::Head;
use ledger::{AccountType, Currency, Date};
use sqlx::Row as _;

use super::super::books::Books;
use super::super::report::Check;
use super::shapes::{ACCOUNTS, BALANCES, CURRENCIES, HEAD, NAMES};
use super::strange;
use super::table::{self, Row, Shape, Table};
use crate::store::mysql::OpenError;
use crate::store::mysql::moment::Moment;

/// Rows of a page.
const PAGE: usize = 8_192;

/// Compares the tables that have one row for each thing there is.
pub(super) async fn compare(moment: &mut Moment, books: &Books, head: Head) -> Result<Vec<Table>, OpenError> {
    let accounts = books.accounts.len() as u64;
    let account = |id: u64| books.account(id).expect("asked of those that are there");
    let status =
        |id| Row { event: Some(account(id).last), ..Row::of(id, id).plain(account(id).status as u8) };
    let name = |id: u64| {
        let (kind, name) = &books.names[id as usize - 1];
        Row { event: None, ..Row::of(id, id).plain(kind).bytes(name.as_bytes()) }
    };
    Ok(vec![
        each(moment, &ACCOUNTS, accounts, status).await?,
        each(moment, &BALANCES, accounts, |id| balance(books, id)).await?,
        each(moment, &NAMES, books.names.len() as u64, name).await?,
        each(moment, &HEAD, 1, |id| tip(books, head, id)).await?,
        currencies(moment).await?,
    ])
}

fn balance(books: &Books, id: u64) -> Row {
    let account = books.account(id).expect("asked of those that are there");
    let normal = match account.kind {
        AccountType::Asset | AccountType::Expense => 1,
        AccountType::Liability | AccountType::Equity | AccountType::Income => 2,
    };
    let mut row = Row { event: Some(account.last), ..Row::of(id, id) }.plain(normal);
    for total in [account.posted, account.held, account.released].concat() {
        row = row.plain(total);
    }
    row.plain(account.limit).plain(account.version).plain(account.last)
}

fn tip(books: &Books, head: Head, id: u64) -> Row {
    let day = |day: Option<i32>| day.map(Date);
    Row { event: Some(head.sequence), ..Row::of(id, id) }
        .bytes(books.bank)
        .plain(books.timeline)
        .bytes(head.hash)
        .plain(books.time)
        .plain(books.accounts.len())
        .plain(books.names.len())
        .maybe(day(books.day_open))
        .maybe(day(books.day_newest))
}

/// Compares a table whose rows are numbered from 1, page by page.
async fn each(
    moment: &mut Moment,
    shape: &'static Shape,
    count: u64,
    row: impl Fn(u64) -> Row,
) -> Result<Table, OpenError> {
    let mut table = Table::new(shape);
    let mut first = 0;
    loop {
        let rows = moment.rows(shape.question(first, u64::MAX, Some(PAGE))).await?;
        let rows = rows.iter().map(table::read).collect::<Result<Vec<_>, _>>().map_err(strange)?;
        let whole = rows.len() < PAGE;
        let last = if whole { u64::MAX } else { rows.last().map_or(u64::MAX, |row| row.by) };
        let due: Vec<Row> = (first.max(1)..=last.min(count)).map(&row).collect();
        table.compare(&due, &rows, |_| None);
        if whole {
            return Ok(table);
        }
        first = last.saturating_add(1);
    }
}

async fn currencies(moment: &mut Moment) -> Result<Table, OpenError> {
    let mut known: Vec<Currency> = Currency::all().collect();
    known.sort_by_key(|currency| currency.numeric());
    let due: Vec<Row> = known
        .iter()
        .map(|currency| {
            let number = u64::from(currency.numeric());
            let row = Row { event: None, ..Row::of(number, number) };
            row.bytes(currency.code()).plain(currency.exponent())
        })
        .collect();
    let rows = moment.rows(CURRENCIES.question(0, u64::MAX, None)).await?;
    let mut rows = rows.iter().map(table::read).collect::<Result<Vec<_>, _>>().map_err(strange)?;
    // A newer program knows more of them.
    rows.retain(|row| due.iter().any(|due| due.by == row.by));
    let mut table = Table::new(&CURRENCIES);
    table.compare(&due, &rows, |_| None);
    Ok(table)
}

/// What services, procedures and triggers have written down.
pub(super) async fn shown(moment: &mut Moment) -> Result<Vec<Check>, OpenError> {
    let question = "SELECT CAST(COUNT(*) AS UNSIGNED), CAST(COALESCE(SUM(closed_us IS NULL), 0) AS UNSIGNED), \
                    COALESCE(CAST(MIN(IF(closed_us IS NULL, account_id, NULL)) AS CHAR), '') FROM balance_breaks";
    let rows = moment.rows(question.to_owned()).await?;
    let row = rows.first().ok_or_else(|| strange(sqlx::Error::RowNotFound))?;
    let (breaks, open, first): (u64, u64, String) = (
        row.try_get(0).map_err(strange)?,
        row.try_get(1).map_err(strange)?,
        row.try_get(2).map_err(strange)?,
    );
    let detail = match (breaks, open) {
        (0, _) => String::new(),
        (_, 0) => "all of them closed".into(),
        _ => format!("{open} open, the first of account {first}; bankcore break list shows them"),
    };
    let breaks = Check { name: "balance_breaks", ok: true, checked: breaks, detail };
    let rows = moment.rows("SELECT CAST(COUNT(*) AS UNSIGNED) FROM audit_log".to_owned()).await?;
    let row = rows.first().ok_or_else(|| strange(sqlx::Error::RowNotFound))?;
    let checked = row.try_get(0).map_err(strange)?;
    Ok(vec![breaks, Check { name: "audit_log", ok: true, checked, detail: String::new() }])
}
