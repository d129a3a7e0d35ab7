//! Moving house: a bank goes from a folder into a database and back, and nothing that it says is different.

mod houses;
mod obstacles;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bank::moving::{self, Error, Home as House, Proof, Stage};
use bank::service;
use ledger::Request;
use sim::server::MariaDb;
use tempfile::TempDir;

use houses::{answers, enter, furnish, runtime};

fn folder() -> (TempDir, House) {
    let dir = tempfile::tempdir().unwrap();
    let house = House::Folder(dir.path().join("bank"));
    (dir, house)
}

fn database() -> House {
    House::Database(MariaDb::shared().empty().settings())
}

fn migrate(from: &House, to: &House) -> Result<Proof, Error> {
    moving::migrate(from, to, &mut |_, _, _| ())
}

fn moved(from: &House, to: &House) -> Proof {
    let proof = migrate(from, to).unwrap_or_else(|error| panic!("{error}"));
    assert!(proof.holds(), "{proof:#?}");
    proof
}

fn line<'a>(proof: &'a Proof, what: &str) -> &'a str {
    &proof.lines.iter().find(|line| line.what == what).unwrap_or_else(|| panic!("no {what}")).source
}

#[test]
fn there_and_back_again_the_bank_is_the_same() {
    let ((_one, first), there, (_two, back)) = (folder(), database(), folder());
    furnish(&first, 700);
    let before = answers(&mut enter(&first));
    let out = moved(&first, &there);
    assert_eq!(answers(&mut enter(&there)), before);
    let home = moved(&there, &back);
    assert_eq!(answers(&mut enter(&back)), before);
    for what in ["head", "chain", "state", "totals", "audit_chain", "api_keys", "audit_records"] {
        assert_eq!(line(&out, what), line(&home, what), "{what}");
    }
    assert!(line(&out, "audit_records").starts_with("5 rows"), "{}", line(&out, "audit_records"));
    assert_eq!(line(&out, "open holds"), "1");

    // Each goes on from there: an old key is replayed, new money moves, and all of it verifies.
    for house in [&there, &back] {
        let mut counter = enter(house);
        let head = counter.head();
        let again = counter.keyed(counter.deposit(1_000_000), "first");
        assert!(matches!(counter.submit(again), bank::books::Decided::Accepted { replayed: true, .. }));
        assert_eq!(counter.head(), head);
        counter.submit(Request::new(counter.transfer(3), counter.teller));
        assert_eq!(counter.head().0, head.0 + 1);
        drop(counter);
        let report = runtime().block_on(async {
            match house {
                House::Folder(dir) => bank::verify::verify(dir, Box::new(|_, _| ())).await.unwrap(),
                House::Database(settings) => {
                    let nowhere = std::path::Path::new("/nowhere");
                    bank::verify::verify_database(settings, nowhere, Box::new(|_, _| ())).await.unwrap()
                }
            }
        });
        assert!(report.ok(), "{report:?}");
    }
}

#[test]
fn houses_of_the_same_kind_do_as_well() {
    let ((_one, first), (_two, second)) = (folder(), folder());
    furnish(&first, 200);
    moved(&first, &second);
    assert_eq!(answers(&mut enter(&second)), answers(&mut enter(&first)));
    let (third, fourth) = (database(), database());
    moved(&second, &third);
    moved(&third, &fourth);
    assert_eq!(answers(&mut enter(&fourth)), answers(&mut enter(&first)));
}

/// Whatever it was doing when it ended: nobody can use the half of it, and the next call finishes it.
fn resumed(to: &House) {
    let (_dir, from) = folder();
    furnish(&from, 9_000);
    let mut copied = 0;
    for (wanted, times) in [(Stage::Copy, 1), (Stage::Copy, 2), (Stage::Target, 1), (Stage::Proof, 1)] {
        let mut seen = 0;
        let broken = catch_unwind(AssertUnwindSafe(|| {
            moving::migrate(&from, to, &mut |stage, done, _| {
                if stage == Stage::Copy {
                    copied = copied.max(done);
                }
                seen += u32::from(stage == wanted);
                assert!(seen < times, "on purpose");
            })
        }));
        assert!(broken.is_err(), "{wanted:?}");
        let refused = runtime().block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let settings = service::Settings::default();
            match to {
                House::Folder(dir) => service::open(dir, &settings).await.err(),
                House::Database(database) => {
                    service::open_database(dir.path(), database, &settings).await.err()
                }
            }
        });
        let refused = refused.expect("an unfinished copy is not served").to_string();
        assert!(refused.contains("unfinished") && refused.contains("bankcore migrate"), "{refused}");
        let as_source = migrate(to, &folder().1).unwrap_err().to_string();
        assert!(as_source.contains("unfinished") || as_source.contains("no bank"), "{as_source}");
    }
    assert!(copied > 8_000, "{copied}");
    moved(&from, to);
    assert_eq!(answers(&mut enter(to)), answers(&mut enter(&from)));
}

#[test]
fn a_copy_into_a_database_goes_on_where_it_was() {
    resumed(&database());
}

#[test]
fn a_copy_into_a_folder_goes_on_where_it_was() {
    let (_dir, to) = folder();
    resumed(&to);
}
