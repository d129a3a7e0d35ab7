//! Everything that happened, as pages and as a stream.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use tokio::time::timeout;
use tower::ServiceExt;

use crate::bank::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_every_kind() {
    let bank = Bank::open().await;
    bank.transfer(&bank.alice, "t", "100.00", json!({"reference": "INV-1", "description": "Rent"})).await;
    bank.transfer(&bank.alice, "no", "1000000.00", json!({})).await.expect(422);
    let hold = json!({"account_id": ALICE, "amount": "5.00", "currency": "BDT"});
    let hold = bank.post(&bank.alice, "/holds", "h", hold).await.expect(201).id();
    bank.post(&bank.alice, &format!("/holds/{hold}/void"), "v", json!({})).await.expect(200);
    bank.post(&bank.admin, "/accounts/4/freeze", "f", json!({"reason": "Court order"})).await.expect(200);
    let transfer =
        json!({"from_account_id": ALICE, "to_account_id": BOB, "amount": "1.00", "currency": "BDT"});
    let batch = json!({"atomic": true, "commands": [{"transfer": transfer}]});
    bank.post(&bank.alice, "/transactions/batch", "b", batch).await.expect(200);
    bank.day("2126-11-23").await;
    let all = bank.get(&bank.auditor, "/events?limit=500").await.expect(200);
    let mut seen = std::collections::BTreeSet::new();
    let mut golden = bank.golden(&all);
    golden["items"]
        .as_array_mut()
        .unwrap()
        .retain(|event| seen.insert(event["kind"].as_str().unwrap().to_owned()));
    assert_eq!(seen.len(), 11, "{seen:?}");
    // Up to the opening of the first business day an event is booked on the day that it is.
    for (item, field) in [(0, "booking_date"), (0, "value_date"), (1, "booking_date"), (1, "value_date")] {
        golden["items"][item][field] = "[today]".into();
    }
    assert_json_snapshot!(golden);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_without_gaps() {
    let bank = Bank::open().await;
    bank.transfers(100).await;
    // Who asks for the first time is given a number, and that is an event too.
    bank.get(&bank.auditor, "/business-day").await.expect(200);
    let head = bank.service.books.reads().head().sequence.0;
    let (mut after, mut seen) = ("0".to_owned(), Vec::new());
    while seen.len() < head as usize {
        let page = bank.get(&bank.auditor, &format!("/events?limit=7&after={after}")).await.expect(200);
        let body = page.value();
        seen.extend(
            body["items"].as_array().unwrap().iter().map(|event| event["sequence"].as_u64().unwrap()),
        );
        after = body["next_after"].as_str().unwrap().to_owned();
        assert_eq!(page.header("link").is_some(), seen.len() < head as usize);
    }
    assert_eq!(seen, (1..=head).collect::<Vec<_>>());
    let end = bank.get(&bank.auditor, &format!("/events?after={head}")).await.expect(200).value();
    assert_eq!(end, json!({"items": [], "next_after": head.to_string()}));
    let beyond = bank.get(&bank.auditor, &format!("/events?after={}", head + 1)).await;
    assert_eq!(beyond.problem(), (422, "beyond_the_newest_event".into()));
    let deposits = bank.get(&bank.auditor, "/events?kinds=day_opened,bank_opened").await.expect(200).value();
    assert_eq!(deposits["items"].as_array().unwrap().len(), 2);
    assert_eq!(deposits["next_after"], head.to_string(), "what was passed over is not looked at again");
    assert_eq!(
        bank.get(&bank.auditor, "/events?kinds=gossip").await.problem(),
        (400, "malformed_request".into())
    );
    for token in [&bank.alice, &bank.teller] {
        assert_eq!(bank.get(token, "/events").await.problem(), (403, "forbidden".into()));
        assert_eq!(bank.get(token, "/events/stream").await.problem(), (403, "forbidden".into()));
    }
}

/// A reader of the stream.
struct Reader {
    body: Body,
    text: String,
}

impl Reader {
    async fn of(bank: &Bank, token: &str, query: &str, last: Option<&str>) -> Reader {
        let mut request = Request::builder().uri(format!("/api/v1/events/stream{query}"));
        request = request.header("authorization", format!("Bearer {token}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = bank.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Reader { body: response.into_body(), text: String::new() }
    }

    /// The next event: its id, kind and data; none when the stream has ended.
    async fn next(&mut self) -> Option<(u64, String, Value)> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = block.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
                    line.map(str::to_owned)
                };
                let event = field("data").map(|data| {
                    let data = serde_json::from_str(&data).unwrap();
                    (field("id").unwrap().parse().unwrap(), field("event").unwrap(), data)
                });
                self.text = rest.to_owned();
                match event {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let frame =
                timeout(Duration::from_secs(10), self.body.frame()).await.expect("something comes")?;
            self.text += std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_tells_the_past_and_then_what_becomes_durable() {
    let bank = Bank::open().await;
    bank.transfers(200).await;
    let head = bank.service.books.reads().head().sequence.0;
    let mut reader = Reader::of(&bank, &bank.auditor, "?after=0", None).await;
    for expected in 1..=head {
        let (id, kind, data) = reader.next().await.unwrap();
        assert_eq!(
            (id, data["sequence"].as_u64(), data["kind"].as_str()),
            (expected, Some(expected), Some(&*kind))
        );
        assert!(id <= bank.service.books.reads().head().sequence.0, "durable");
    }
    bank.transfer(&bank.alice, "t", "1.00", json!({})).await.expect(201);
    let mut newest = head;
    while newest < bank.service.books.reads().head().sequence.0 {
        newest += 1;
        assert_eq!(reader.next().await.unwrap().0, newest);
    }
    drop(reader);
    let mut reader = Reader::of(&bank, &bank.auditor, "?after=0", Some(&(newest - 1).to_string())).await;
    assert_eq!(reader.next().await.unwrap().0, newest, "Last-Event-ID goes before");
    let mut reader = Reader::of(&bank, &bank.auditor, "?kinds=day_opened", None).await;
    bank.transfers(3).await;
    bank.day("2126-11-23").await;
    let (id, kind, data) = reader.next().await.unwrap();
    assert_eq!((id, kind.as_str(), &data["day"]), (newest + 5, "day_opened", &json!("2126-11-23")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_none_is_refused() {
    let bank = Bank::open().await;
    let beyond = bank.get(&bank.auditor, "/events/stream?after=99999").await;
    assert_eq!(beyond.problem(), (422, "beyond_the_newest_event".into()));
    for last in ["", "x", "-1", "1.5"] {
        let request = Request::builder().uri("/api/v1/events/stream").header("last-event-id", last);
        let request = request.header("authorization", format!("Bearer {}", bank.auditor));
        let answer = bank.ask(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.problem(), (400, "malformed_request".into()), "{last:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_hears_nothing_more() {
    let bank = Bank::open().await;
    let mut waiting = Reader::of(&bank, &bank.auditor, "", None).await;
    let mut behind = Reader::of(&bank, &bank.auditor, "?after=0", None).await;
    assert_eq!(behind.next().await.unwrap().0, 1);
    let prefix = &bank.auditor[4..12];
    bank.send(Method::DELETE, &bank.admin, &format!("/keys/{prefix}"), None, None).await.expect(204);
    bank.transfers(500).await;
    let begun = std::time::Instant::now();
    assert_eq!(waiting.next().await, None);
    let mut last = 1;
    while let Some((id, ..)) = behind.next().await {
        last = id;
    }
    assert!(last <= 64, "no more than the stretch that was on its way: {last}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_have_a_number() {
    let bank = Bank::open().await;
    let mut open = Vec::new();
    for _ in 0..256 {
        open.push(Reader::of(&bank, &bank.auditor, "", None).await);
    }
    let full = bank.get(&bank.auditor, "/events/stream").await;
    assert_eq!(full.problem(), (503, "too_many_streams".into()));
    assert_eq!(full.header("retry-after"), Some("10"));
    open.pop();
    Reader::of(&bank, &bank.auditor, "", None).await;
}
