//! Payments that come as messages: the same desk as for transfers, without a broker between.

use std::sync::Arc;

use bank::http::{App, queue_router};
use bank::intake::desk::{Desk, Verdict};
use serde_json::{Value, json};

use super::{Paying, order};
use crate::bank::*;

fn desk(app: &Arc<App>) -> Desk {
    Desk::new(queue_router(Arc::clone(app)))
}

async fn told(desk: &Desk, id: &str, body: &Value) -> Verdict {
    desk.decide(Some(id), body.to_string().as_bytes()).await
}

#[tokio::test]
async fn a_payment_instruction_that_comes_again_is_one_payment() {
    let paying = Paying::open().await;
    let desk = desk(paying.bank.app());
    for _ in 0..3 {
        assert_eq!(told(&desk, "msg-1", &json!({"payment": order()})).await, Verdict::Done);
    }
    let listed = paying.bank.get(&paying.bank.admin, "/payments").await.expect(200).value();
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{listed:#}");
    let id = items[0]["id"].as_str().unwrap();
    paying.state(id, "settled").await;
    assert_eq!(paying.money().await[0], "90.00");
}

#[tokio::test]
async fn an_instruction_that_can_never_count_is_told_why() {
    let paying = Paying::open().await;
    let desk = desk(paying.bank.app());
    let with = |field: &str, value: &str| {
        let mut order = order();
        order[field] = json!(value);
        json!({"payment": order})
    };
    let cases = [
        (with("rail", "nowhere"), "unknown_rail"),
        (with("from_account_id", CAPITAL), "forbidden"),
        (with("from_account_id", BOB), "insufficient_funds"),
        (json!({"payment": order(), "transfer": {}}), "malformed_request"),
        (json!({"refund": {}}), "malformed_request"),
    ];
    for (number, (message, expected)) in cases.iter().enumerate() {
        match told(&desk, &format!("msg-{number}"), message).await {
            Verdict::Dead { code, .. } => assert_eq!(code, *expected, "{message}"),
            other => panic!("{message}: {other:?}"),
        }
    }
    assert_eq!(paying.money().await[0], "100.00", "nothing moved");
}
