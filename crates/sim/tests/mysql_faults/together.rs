//! Two services and the stored procedures on one database, on one hot account.

use bank::books::Decided;
use sim::auditor::Told;
use sim::server::MariaDb;
use sqlx::{AssertSqlSafe, Connection, Row};

use super::bank::{Running, furnish, insist_on, prove, sums_hold, transfer};

const EACH: usize = 150;

#[test]
fn two_services_and_the_procedures_share_a_bank() {
    let server = MariaDb::shared();
    let database = server.migrated();
    let (one, two) = (Running::open(&database.settings()), Running::open(&database.settings()));
    let [_, alice, bob] = furnish(&one.books, 1 << 40);
    let told: Vec<Told> = std::thread::scope(|scope| {
        let mut services = Vec::new();
        for (service, books) in [(1, &one.books), (2, &two.books)] {
            for client in 0..2 {
                services.push(scope.spawn(move || {
                    let each = (0..EACH).map(|n| {
                        // Every tenth key is everybody's: whoever comes second is answered by what the first did.
                        let key =
                            if n % 10 == 0 { format!("all {n}") } else { format!("{service} {client} {n}") };
                        match insist_on(books, &transfer(alice, bob, 1, &key)).0 {
                            Decided::Accepted { event, .. } => Told::Happened(vec![event]),
                            other => panic!("{other:?}"),
                        }
                    });
                    each.collect::<Vec<_>>()
                }));
            }
        }
        let url = &database.url;
        let calls: Vec<_> =
            (0..2).map(|client| scope.spawn(move || call(url, client, alice.0, bob.0))).collect();
        for call in calls {
            call.join().expect("no panic");
        }
        services.into_iter().flat_map(|client| client.join().expect("no panic")).collect()
    });
    let ((one, reads), (two, _)) = (one.stop(), two.stop());
    prove(&*reads, one.state(), &told);
    assert!(one.state() == two.state(), "both believe the same");
    let shared = EACH.div_ceil(10);
    let posted = 4 * (EACH - shared) + shared + 2 * EACH;
    assert_eq!(one.state().account(bob).expect("there").ledger_balance(), posted as i128, "each key once");
    sums_hold(&database, server);
}

/// Calls `sp_transfer` from a connection of its own; each call is repeated, as a client does that is not sure.
fn call(url: &str, client: usize, from: u64, to: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut connection = sqlx::mysql::MySqlConnection::connect(url).await.expect("a healthy server");
        for n in 0..EACH {
            let call = format!(
                "CALL sp_transfer({from}, {to}, 0.01, 'over the counter', 'till{client}', 'call {n}', @id, @status, @message)"
            );
            let mut first = None;
            let mut done = 0;
            let mut tries = 0;
            while done < 2 {
                tries += 1;
                assert!(tries < 50, "no end of deadlocks");
                match sqlx::raw_sql(AssertSqlSafe(call.clone())).execute(&mut connection).await {
                    Ok(_) => done += 1,
                    Err(error) if is_transient(&error) => continue,
                    Err(error) => panic!("{error}"),
                }
                let row = sqlx::raw_sql("SELECT CAST(@id AS CHAR), @status, @message")
                    .fetch_one(&mut connection)
                    .await
                    .expect("an answer");
                let (id, status, message): (Option<String>, String, String) = (row.get(0), row.get(1), row.get(2));
                assert_eq!(status, "COMPLETED", "{message}");
                assert_eq!(*first.get_or_insert(id.clone()), id, "the same key, the same transaction");
            }
        }
    });
}

fn is_transient(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    let number = error.downcast_ref::<sqlx::mysql::MySqlDatabaseError>().number();
    [1205, 1213, 1020].contains(&number)
}
