//! Cursors: good in their own list, for their own reader; anywhere else they are refused.

use crate::bank::*;

async fn cursor(bank: &Bank, token: &str, path: &str) -> String {
    let page = bank.get(token, path).await.expect(200).value();
    page["next_cursor"].as_str().expect("there is more").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_opens_no_other_list() {
    let bank = Bank::open().await;
    bank.transfers(10).await;
    let lists = [
        "/accounts?limit=1",
        "/accounts?limit=1&type=liability",
        "/accounts/3/entries?limit=1",
        "/accounts/3/entries?limit=1&order=asc",
        "/accounts/3/entries?limit=1&from_date=2126-11-22",
        "/accounts/5/entries?limit=1",
        "/transactions?limit=1",
        "/transactions?limit=1&account_id=3",
        "/keys?limit=1",
    ];
    for made in lists {
        let cursor = cursor(&bank, &bank.admin, made).await;
        for used in lists {
            let answer = bank.get(&bank.admin, &format!("{used}&cursor={cursor}")).await;
            match made == used {
                true => drop(answer.expect(200)),
                false => assert_eq!(answer.problem(), (400, "cursor_invalid".into()), "{made} in {used}"),
            }
        }
        // Another reader who may see the same list, and another page length for the same reader.
        if !made.starts_with("/keys") {
            let other = bank.get(&bank.auditor, &format!("{made}&cursor={cursor}")).await;
            assert_eq!(other.problem(), (400, "cursor_invalid".into()), "{made}");
        }
        bank.get(&bank.admin, &format!("{}&cursor={cursor}", made.replace("limit=1", "limit=7")))
            .await
            .expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_was_made_up_is_refused() {
    let bank = Bank::open().await;
    bank.transfers(10).await;
    let good = cursor(&bank, &bank.alice, "/accounts/3/entries?limit=1").await;
    let mut forged: Vec<String> =
        ["", "0", "AQ", "AQAAAAAAAAABAAAAAAAAAAA", "%00", "%F0%9F%92%A9", "null"].map(str::to_owned).to_vec();
    forged.push("A".repeat(5_000));
    forged.push(format!("{good}="));
    forged.push(format!("{good}A"));
    forged.push(good[1..].to_owned());
    forged.extend((0..good.len()).map(|at| {
        let other = if good.as_bytes()[at] == b'A' { "B" } else { "A" };
        format!("{}{other}{}", &good[..at], &good[at + 1..])
    }));
    for cursor in forged {
        for list in ["/accounts/3/entries", "/accounts", "/transactions"] {
            let answer = bank.get(&bank.alice, &format!("{list}?account_id=3&cursor={cursor}")).await;
            let answer = match list {
                "/transactions" => answer,
                _ => bank.get(&bank.alice, &format!("{list}?cursor={cursor}")).await,
            };
            assert_eq!(answer.problem(), (400, "cursor_invalid".into()), "{list}: {cursor}");
        }
    }
}
