//! The OpenAPI document says what the endpoints do.

use serde_json::Value;

use crate::bank::*;

const WRITING: [(&str, &str); 15] = [
    ("post", "/api/v1/accounts"),
    ("post", "/api/v1/accounts/{id}/activate"),
    ("post", "/api/v1/accounts/{id}/close"),
    ("post", "/api/v1/accounts/{id}/freeze"),
    ("post", "/api/v1/accounts/{id}/unfreeze"),
    ("patch", "/api/v1/accounts/{id}/limits"),
    ("post", "/api/v1/banker/deposits"),
    ("post", "/api/v1/banker/withdrawals"),
    ("post", "/api/v1/holds"),
    ("post", "/api/v1/holds/{id}/capture"),
    ("post", "/api/v1/holds/{id}/void"),
    ("post", "/api/v1/transactions"),
    ("post", "/api/v1/transactions/batch"),
    ("post", "/api/v1/transactions/transfer"),
    ("post", "/api/v1/transactions/{id}/reversal"),
];

#[tokio::test]
async fn every_operation_is_described() {
    let bank = Bank::open().await;
    let document = bank.get(&bank.admin, "/openapi.json").await.value();
    for (method, path) in WRITING {
        let operation = &document["paths"][path][method];
        for field in ["summary", "description", "operationId"] {
            assert!(operation[field].is_string(), "{method} {path} has no {field}");
        }
        assert_eq!(operation["security"][0]["api_key"], Value::Array(vec![]), "{path}");
        let parameters = operation["parameters"].as_array().unwrap();
        let key = parameters.iter().find(|one| one["name"] == "Idempotency-Key");
        assert_eq!(key.unwrap()["in"], "header", "{path}");
        for (kind, content) in operation["requestBody"]["content"].as_object().unwrap() {
            assert!(
                kind == "application/x-ndjson" || content["example"].is_object(),
                "{path} has no example"
            );
        }
        for status in ["4XX", "503"] {
            let content = &operation["responses"][status]["content"]["application/problem+json"];
            assert_eq!(content["schema"]["$ref"], "#/components/schemas/Problem", "{path}");
        }
        let done =
            operation["responses"].as_object().unwrap().iter().find(|(status, _)| status.starts_with('2'));
        assert!(done.unwrap().1["content"]["application/json"]["schema"].is_object(), "{path}");
    }
}

/// Every schema that is referred to is there.
#[tokio::test]
async fn references_lead_somewhere() {
    let bank = Bank::open().await;
    let document = bank.get(&bank.admin, "/openapi.json").await.value();
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|field| references(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}
