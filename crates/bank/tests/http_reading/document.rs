//! The OpenAPI document, the pages for problems, and the documentation.

use axum::body::Body;
use axum::http::Request;
use insta::assert_json_snapshot;

use crate::bank::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_whole() {
    let bank = Bank::open().await;
    let document = bank.get("", "/openapi.json").await.expect(200).value();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["components"]["securitySchemes"]["api_key"]["scheme"], "bearer");
    let tags: Vec<_> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    let mut ids = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let place = format!("{method} {path}");
            assert!(
                ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
                "{place} has a name of its own"
            );
            assert!(operation["summary"].is_string(), "{place} has a title");
            assert!(operation["description"].is_string(), "{place} says what it does");
            let used = operation["tags"].as_array().unwrap();
            assert!(used.len() == 1 && tags.contains(&&used[0]), "{place} has a tag: {used:?}");
            let open = path.ends_with("/health") || path.ends_with("/ready");
            assert_eq!(operation.get("security").is_none(), open, "{place}");
        }
    }
    let text = document.to_string();
    let mut references: Vec<&str> = text.split("#/components/schemas/").skip(1).collect();
    references.iter_mut().for_each(|rest| *rest = rest.split('"').next().unwrap());
    for name in references {
        assert!(document["components"]["schemas"].get(name).is_some(), "{name} is named but not there");
    }
    assert_json_snapshot!(document);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_problem_leads_to_its_page() {
    let bank = Bank::open().await;
    let ask = async |path: &str| bank.ask(Request::builder().uri(path).body(Body::empty()).unwrap()).await;
    let refused = bank.transfer(&bank.alice, "no", "1000000.00", serde_json::json!({})).await.expect(422);
    for answer in [refused, bank.get("", "/accounts").await, bank.get("", "/nothing").await] {
        let page = ask(answer.value()["type"].as_str().unwrap()).await.expect(200);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(page.text.contains(answer.value()["code"].as_str().unwrap()), "{}", page.text);
        assert!(
            page.header("content-security-policy")
                .unwrap()
                .starts_with("default-src 'none'; frame-ancestors")
        );
    }
    assert!(ask("/problems").await.expect(200).text.contains("/problems/insufficient-funds"));
    assert_eq!(ask("/problems/nothing").await.problem(), (404, "not_found".into()));
    assert_eq!(ask("/problems/%3Cscript%3E").await.problem(), (404, "not_found".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_runs_only_what_it_brings() {
    let bank = Bank::open().await;
    let ask = async |path: &str| bank.ask(Request::builder().uri(path).body(Body::empty()).unwrap()).await;
    let page = ask("/docs/").await.expect(200);
    assert!(!page.text.contains("<script>"), "no script in the page itself: {}", page.text);
    assert!(!page.text.contains("http://") && !page.text.contains("https://"), "{}", page.text);
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(page.header(name), Some(value));
    }
    assert!(page.header("content-security-policy").unwrap().contains("script-src 'self';"));
    assert!(page.header("x-request-id").is_some());
}
