//! A folder of the last version, which kept keys and audit trail in `bank.db` beside books in a database.

use std::path::Path;

use bank::database::{Actor, Database, FILE_NAME, audit};
use bank::identity::{KeyMaterial, KeyRef, KeyStore, Role, Unauthenticated};
use bank::service::{self, BusinessDays, Settings};
use tempfile::TempDir;

use super::homes::{BANK, Home as _, NOW, Server};
use super::keys::new;

fn settings() -> Settings {
    Settings { name: "Small Bank".into(), business_days: BusinessDays::Manual, ..Settings::default() }
}

/// A folder with two keys, one of them revoked; the secret of the other.
async fn folder(n: u8) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::create(&folder.path().join(FILE_NAME), BANK, NOW).await.unwrap();
    let keys = KeyStore::open(database.clone()).await.unwrap();
    let by = Actor::new("root", "command line");
    let material = |n| KeyMaterial::from_bytes(&[n; KeyMaterial::BYTES]);
    let (_, secret) = keys.create_key(new(Role::Customer), &by, &material(n), NOW).await.unwrap();
    let (gone, _) = keys.create_key(new(Role::Admin), &by, &material(n + 1), NOW).await.unwrap();
    keys.revoke_key(&KeyRef::Id(gone.id), &by, NOW).await.unwrap();
    database.close().await;
    (folder, secret.expose().to_owned())
}

async fn start(dir: &Path, home: &Server) -> Result<service::Service, service::Error> {
    service::open_database(dir, &home.settings(), &settings()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_trail_are_taken_over_once_and_the_file_is_set_aside() {
    let home = Server::fresh().await;
    let (dir, secret) = folder(1).await;
    let file = Database::open(&dir.path().join(FILE_NAME), BANK).await.unwrap();
    let (summary, newest) = (file.summary().await.unwrap(), audit::newest(&file).await.unwrap());
    file.close().await;

    let service = start(dir.path(), &home).await.unwrap();
    assert_eq!(service.database.summary().await.unwrap(), summary, "every row of every table");
    assert_eq!(audit::newest(&service.database).await.unwrap(), newest, "one chain that goes on");
    assert!(service.keys.directory().authenticate(&secret, NOW).is_ok());
    let material = KeyMaterial::from_bytes(&[9; KeyMaterial::BYTES]);
    let by = Actor::new("root", "command line");
    service.keys.create_key(new(Role::Auditor), &by, &material, NOW).await.unwrap();
    service.close().await;

    let mut names: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["bank.db-moved", "lock"]);
    let service = start(dir.path(), &home).await.unwrap();
    assert_eq!(service.keys.list_keys().await.unwrap().len(), 3);
    service.close().await;
}

/// Killed after the commit and before the file was set aside: the next start sees that all of it is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_was_killed_in_between_is_finished_by_the_next() {
    let home = Server::fresh().await;
    let (dir, secret) = folder(1).await;
    let file = Database::open(&dir.path().join(FILE_NAME), BANK).await.unwrap();
    home.open().await.take_over(&file).await.unwrap();
    file.close().await;
    let service = start(dir.path(), &home).await.unwrap();
    assert!(service.keys.directory().authenticate(&secret, NOW).is_ok());
    assert_eq!(service.keys.list_keys().await.unwrap().len(), 2);
    service.close().await;
    assert!(!dir.path().join(FILE_NAME).exists());
}

/// Two services of the last version had a file each. Nothing can merge two trails, and nothing is lost silently.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_folder_with_keys_of_its_own_is_refused_untouched() {
    let home = Server::fresh().await;
    let (first, _) = folder(1).await;
    start(first.path(), &home).await.unwrap().close().await;
    let before = home.open().await.summary().await.unwrap();
    let (second, secret) = folder(5).await;
    let error = start(second.path(), &home).await.err().unwrap().to_string();
    assert!(error.contains("bank.db") && error.contains("bankcore key create"), "{error}");
    assert!(second.path().join(FILE_NAME).exists());
    assert_eq!(home.open().await.summary().await.unwrap(), before);
    // The remedy: out of the way with it.
    std::fs::rename(second.path().join(FILE_NAME), second.path().join("kept")).unwrap();
    let service = start(second.path(), &home).await.unwrap();
    let found = service.keys.directory().authenticate(&secret, NOW);
    assert_eq!(found.unwrap_err(), Unauthenticated::Unknown);
    service.close().await;
}
