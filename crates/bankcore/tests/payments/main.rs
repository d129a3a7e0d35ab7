//! Payments to a partner at whose side everything goes wrong, by a bank that is killed again and again.
//!
//! The real binary twice: `serve` and `partner`, each in a process of its own. The partner refuses, answers late,
//! twice, not at all, in the wrong order, contradicts itself, is down and crashes; the bank dies by SIGKILL at any
//! moment. Once with its books in a journal, once two services on one database, killed in turn. At the end: every payment is settled, reversed or a case, no leg is lost, nobody was credited twice, and
//! `verify` finds nothing.
//!
//! `PAYMENTS=1000 KILLS=50 cargo test -p bankcore --test payments` makes it a long one.

mod bank;
#[path = "../common/mod.rs"]
mod common;
mod partner;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bank::Bank;
use partner::Partner;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;

/// Who asks for payments at the same time.
const CLIENTS: usize = 4;

/// One of ten, of each.
const FAULTS: &str = "refuse=0.1,late=0.1,twice=0.1,lose_answer=0.1,lose_request=0.1,down=0.1,crash=0.1,\
                      out_of_order=0.1,contradict=0.1";

/// Longer than a payment takes through all its questions, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(1_200);

fn size(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn every_payment_ends_settled_reversed_or_in_a_case_whatever_happens() {
    ends_well(Bank::on_a_journal());
}

#[test]
fn two_services_on_one_database_end_every_payment_as_well() {
    ends_well(Bank::on_a_database());
}

/// The bank database of yesterday evening under the books of today: rows of payments are missing or behind, and the
/// partner knows them all.
#[test]
fn an_older_bank_database_under_newer_books_loses_no_leg() {
    let payments = size("PAYMENTS", 60);
    let mut bank = Bank::on_a_journal();
    let partner = Partner::start(&bank, "refuse=0.2,late=0.4,lose_answer=0.3,lose_request=0.2");
    bank.set_rail(&partner.url());
    bank.deposit("alice_savings", "1000000.00");
    let before = bank.balance("alice_savings");
    let pay = |bank: &Bank, numbers: std::ops::Range<usize>| {
        for number in numbers {
            assert!(bank.teller().pay(&bank.addresses()[0], number));
        }
    };
    pay(&bank, 0..payments / 2);
    let kept = bank.keep_database();
    pay(&bank, payments / 2..payments);
    std::thread::sleep(Duration::from_millis(200));
    let report = bank.set_back(&kept);
    let check = report["checks"].as_array().expect("a list").iter().find(|check| check["name"] == "payments");
    let check = check.expect("a check of that name");
    assert_eq!((&report["ok"], &check["ok"]), (&Value::Bool(false), &Value::Bool(false)), "{report:#}");
    let lost = format!("{} payments of the books have no row", payments - payments / 2);
    assert!(check["detail"].as_str().expect("text").starts_with(&lost), "{check:#}");

    let ended = settle(&bank, payments);
    check_outcomes(&ended, &partner.payments());
    money_is_where_it_should_be(&bank, &ended, before);
    let again = |payment: &&Value| payment["beneficiary"]["account"] == "";
    assert_eq!(ended.iter().filter(again).count(), payments - payments / 2);
    bank.stop();
    bank.verify();
}

#[test]
fn a_lost_payment_that_nobody_can_be_asked_about_is_a_case() {
    let mut bank = Bank::on_a_journal();
    // Two rails over the same accounts: whose the money on clearing is cannot be told.
    for name in ["partner", "second"] {
        bank.set(name, "http://127.0.0.1:9/rail");
    }
    bank.deposit("alice_savings", "1000.00");
    let kept = bank.keep_database();
    assert!(bank.teller().pay(&bank.addresses()[0], 0));
    let reference = bank.payments()[0]["rail_reference"].clone();
    bank.set_back(&kept);
    assert_eq!(bank.payments(), Vec::<Value>::new());
    let cases = bank.cases();
    assert_eq!(cases.len(), 1, "{cases:#?}");
    assert_eq!((&cases[0]["kind"], &cases[0]["money_at_risk"]), (&"payment_lost".into(), &"1.00".into()));
    assert_eq!(cases[0]["evidence"]["reference"], reference);
    assert_eq!(bank.balance("clearing"), 100);
    // Told once, however often it is started.
    bank.kill(0);
    assert_eq!(bank.cases(), cases);
    bank.stop();
    bank.verify();
}

fn ends_well(mut bank: Bank) {
    let (payments, kills) = (size("PAYMENTS", 100), size("KILLS", 8));
    let mut random = StdRng::seed_from_u64(11);
    let partner = Partner::start(&bank, FAULTS);
    bank.set_rail(&partner.url());
    bank.deposit("alice_savings", "1000000.00");
    let before = bank.balance("alice_savings");

    let made = AtomicUsize::new(0);
    let addresses = bank.addresses();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (made, bank, addresses) = (&made, bank.teller(), &addresses);
            scope.spawn(move || {
                for number in (client..payments).step_by(CLIENTS) {
                    // Asked for until it is answered, here or there: the same key is the same payment.
                    for address in addresses.iter().cycle().skip(number) {
                        if bank.pay(address, number) {
                            break;
                        }
                        std::thread::sleep(Duration::from_millis(50));
                    }
                    made.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for turn in 0..kills {
            std::thread::sleep(Duration::from_millis(random.random_range(100..900)));
            bank.kill(turn);
        }
    });
    assert_eq!(made.load(Ordering::Relaxed), payments);

    let ended = settle(&bank, payments);
    let theirs = partner.payments();
    check_outcomes(&ended, &theirs);
    money_is_where_it_should_be(&bank, &ended, before);
    bank.stop();
    bank.verify();
    let count = |state: &str| ended.iter().filter(|payment| payment["state"] == state).count();
    let held = ended.iter().filter(|payment| payment["held"] == true).count();
    eprintln!(
        "{payments} payments, {kills} kills of the bank, {} of the partner: {} settled, {} reversed, {held} held",
        partner.crashes(),
        count("settled"),
        count("reversed"),
    );
}

/// Waits until every payment is at an end or with a person.
fn settle(bank: &Bank, payments: usize) -> Vec<Value> {
    let start = Instant::now();
    loop {
        let all = bank.payments();
        assert!(all.len() <= payments, "a payment was made twice: {}", all.len());
        let over = |payment: &&Value| {
            let end =
                ["settled", "reversed", "refused", "suspended"].iter().any(|end| payment["state"] == *end);
            end || payment["held"] == true
        };
        if all.len() == payments && all.iter().filter(over).count() == payments {
            return all;
        }
        let open: Vec<_> = all.iter().filter(|payment| !over(payment)).collect();
        assert!(start.elapsed() < PATIENCE, "{} do not end, for instance {:#?}", open.len(), open.first());
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// What the bank believes is what the partner did, but where the partner lied.
fn check_outcomes(ours: &[Value], theirs: &Value) {
    assert_eq!(theirs["credited_without_decision"], Value::Array(Vec::new()));
    let items = theirs["items"].as_array().expect("a list");
    let by_reference: HashMap<&str, &Value> =
        items.iter().map(|item| (item["reference"].as_str().expect("a reference"), item)).collect();
    for item in items {
        assert!(item["credited"].as_u64() <= Some(1), "credited twice: {item}");
    }
    for payment in ours {
        let item = by_reference.get(payment["rail_reference"].as_str().expect("a reference"));
        let credited = item.is_some_and(|item| item["credited"] == 1);
        let lied = item.is_some_and(|item| item["lied"] == true);
        let expected = match payment["state"].as_str() {
            Some("settled") => Some(true),
            Some("reversed" | "refused" | "suspended") => Some(false),
            _ => None,
        };
        assert!(lied || expected.is_none_or(|expected| expected == credited), "{payment:#} but {item:#?}");
        if credited {
            let credit = &item.expect("it was credited")["credit"];
            assert_eq!(credit["amount"], payment["amount"]);
            // To whom it went is lost with its row.
            let to = &payment["beneficiary"]["account"];
            assert!(credit["account"] == *to || to == "", "{payment:#} but {item:#?}");
        }
    }
}

/// The customer paid what was settled, clearing holds what is under way, nostro paid the rest.
fn money_is_where_it_should_be(bank: &Bank, ended: &[Value], before: i64) {
    let minor = |payment: &Value| {
        payment["amount"].as_str().expect("text").replace('.', "").parse::<i64>().expect("digits")
    };
    let sum = |wanted: &dyn Fn(&Value) -> bool| -> i64 {
        ended.iter().filter(|payment| wanted(payment)).map(minor).sum()
    };
    let settled = sum(&|payment| payment["state"] == "settled");
    let ends = ["settled", "reversed", "refused", "suspended"];
    let under_way = sum(&|payment| !ends.iter().any(|end| payment["state"] == *end));
    assert!(settled > 0, "something was paid");
    assert_eq!(bank.balance("clearing"), under_way, "clearing holds what is under way, and nothing else");
    assert_eq!(bank.balance("alice_savings"), before - settled - under_way);
    assert_eq!(bank.balance("nostro"), 100_000_000 - settled);
    assert_eq!(bank.balance("suspense"), 0);
}
