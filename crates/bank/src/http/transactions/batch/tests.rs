//! What a command of a batch costs on its way in and out. Printed with `--nocapture`; in a release build it
//! tells where the time goes.

use std::sync::Arc;
use std::time::Instant;

use ledger::event::NameKind;
use serde_json::json;

use super::answers::{Answers, Ends};
use super::requests::{self, Went};
use super::{Form, input};
use crate::http::app::{App, Settings};
use crate::http::caller::Caller;
use crate::identity::Credential;
use crate::service;

const COMMANDS: usize = 1_000;
const ROUNDS: usize = 50;

async fn bank(folder: &std::path::Path) -> (Arc<App>, Caller) {
    let mut settings = service::Settings::default();
    settings.store.journal.segment_bytes = 64 << 20;
    let service = Arc::new(service::create(folder, &settings).await.unwrap());
    let principal = service.books.intern(NameKind::Principal, "local").await.unwrap();
    let caller = Caller::of(Credential::local(), principal);
    for name in ["alice", "bob"] {
        let wish = ledger::command::OpenAccount {
            account_type: ledger::AccountType::Liability,
            currency: ledger::Currency::from_code("BDT").unwrap(),
            status: ledger::Status::Active,
            overdraft_limit: 1_000_000_000_000,
            owner: principal,
            number: None,
            name: name.into(),
        };
        let request = caller.request(ledger::Command::OpenAccount(Box::new(wish)));
        service.books.submit(request).await.unwrap();
    }
    let app = App::new(service, Settings { body_bytes_max: 1 << 20, behind_proxy: false, tls: false });
    (app, caller)
}

fn body(round: usize) -> Vec<u8> {
    let command = |n: usize| {
        json!({"idempotency_key": format!("key-{round}-{n}"), "transfer": {
            "from_account_id": "1", "to_account_id": "2", "amount": "12.34", "currency": "BDT",
            "reference": format!("INV-{n}")}})
    };
    json!({"commands": (0..COMMANDS).map(command).collect::<Vec<_>>()}).to_string().into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_costs() {
    let folder = tempfile::tempdir().unwrap();
    let (app, caller) = bank(folder.path()).await;
    // The best of all rounds: what the machine did besides is not the command's cost.
    let mut spent = [u128::MAX; 4];
    let mut bytes_out = 0;
    for round in 0..ROUNDS {
        let bytes = body(round);
        let start = Instant::now();
        let read = input::json(&bytes).unwrap();
        assert!(read.members.iter().all(Result::is_ok));
        drop(read);
        best(&mut spent[0], start);

        let start = Instant::now();
        let went = requests::make(&app, &caller, Form::Json, &bytes, false);
        let Ok(Went::Through(made)) = went else { panic!("all is known") };
        best(&mut spent[1], start);

        let start = Instant::now();
        let fingerprints: Vec<_> = made.requests.iter().map(|request| request.fingerprint).collect();
        let receipt = app.service.books.submit_each(made.requests).await.unwrap();
        best(&mut spent[2], start);

        let start = Instant::now();
        let ends = Ends::new();
        let mut answers = Answers::new(&app.service.books, &caller, Form::Json, COMMANDS, &ends);
        answers.all(Some(&receipt), &fingerprints, &made.failed);
        let out = answers.finish().unwrap();
        best(&mut spent[3], start);
        bytes_out += out.len();
        assert!(out.starts_with(b"{\"results\":[{\"status\":201,\"transaction\":{\"id\":\""));
    }
    let [read, make, decide, write] = spent.map(|nanos| nanos / COMMANDS as u128);
    println!(
        "per command: read {read} ns, read and make {make} ns, decide durably (alone) {decide} ns, \
         write {write} ns, {} bytes out",
        bytes_out / (ROUNDS * COMMANDS)
    );
}

fn best(spent: &mut u128, start: Instant) {
    *spent = (*spent).min(start.elapsed().as_nanos());
}
