//! API keys as a specification, against a real database file.

use rstest::rstest;
use tempfile::TempDir;

use super::*;
use crate::database::audit;
use crate::identity::{Role, Unauthenticated};

const BANK: [u8; 16] = [9; 16];
const NOW: i64 = 1_800_000_000_000_000;
const MINUTE: i64 = 60_000_000;

struct Home {
    folder: TempDir,
    keys: KeyStore,
}

impl Home {
    async fn new() -> Home {
        let folder = TempDir::new().unwrap();
        let database = Database::create(&folder.path().join("bank.db"), BANK, NOW).await.unwrap();
        Home { keys: KeyStore::open(database).await.unwrap(), folder }
    }

    async fn create(&self, new: NewKey, n: u8) -> Result<(Arc<Credential>, Secret), KeyError> {
        self.keys.create_key(new, &Actor::new("root", "command line"), &material(n), NOW).await
    }

    async fn revoke(&self, key: KeyRef) -> Result<Uuid, KeyError> {
        self.keys.revoke_key(&key, &Actor::new("root", "command line"), NOW + 1).await
    }

    async fn restart(self) -> Home {
        self.keys.database.clone().close().await;
        let database = Database::open(&self.folder.path().join("bank.db"), BANK).await.unwrap();
        Home { keys: KeyStore::open(database).await.unwrap(), folder: self.folder }
    }

    async fn outside(&self, sql: &'static str) -> Result<(), String> {
        sqlx::query(sql).execute(self.keys.database.pool()).await.map(|_| ()).map_err(|e| e.to_string())
    }

    fn who(&self, secret: &Secret, now_us: i64) -> Result<Arc<Credential>, Unauthenticated> {
        self.keys.directory().authenticate(secret.expose(), now_us)
    }
}

fn material(n: u8) -> KeyMaterial {
    KeyMaterial::from_bytes(&[n; KeyMaterial::BYTES])
}

fn new(role: Role) -> NewKey {
    NewKey {
        name: "test".into(),
        principal: "p".parse().unwrap(),
        role,
        accounts: if role == Role::Customer { vec![102, 101, 102] } else { vec![] },
        drawer: (role == Role::Banker).then_some(7),
        expires_at_us: None,
    }
}

#[tokio::test]
async fn a_key_authenticates_at_once_and_after_a_restart() {
    let home = Home::new().await;
    let (made, secret) = home.create(new(Role::Customer), 1).await.unwrap();
    assert_eq!(home.who(&secret, NOW).unwrap().id, made.id);
    assert_eq!((made.id.get_version_num(), &*made.accounts), (7, &[101, 102][..]));

    let home = home.restart().await;
    let found = home.who(&secret, NOW).unwrap();
    assert!(found.grants_as(&made));
}

#[tokio::test]
async fn the_secret_is_nowhere_in_the_folder() {
    let home = Home::new().await;
    let (_, secret) = home.create(new(Role::Admin), 1).await.unwrap();
    let needle = &secret.expose().as_bytes()[13..];
    for file in std::fs::read_dir(home.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(needle.len()).any(|w| w == needle));
    }
}

#[tokio::test]
async fn a_wrong_secret_under_a_right_prefix_is_nobody() {
    let home = Home::new().await;
    let (_, secret) = home.create(new(Role::Admin), 1).await.unwrap();
    let wrong = format!("{}x", &secret.expose()[..55]);
    let answer = home.keys.directory().authenticate(&wrong, NOW);
    assert_eq!(answer.unwrap_err(), Unauthenticated::Unknown);
}

#[tokio::test]
async fn a_revoked_key_is_dead_when_the_command_returns_and_stays_dead() {
    let home = Home::new().await;
    let (by_id, first) = home.create(new(Role::Admin), 1).await.unwrap();
    let (by_prefix, second) = home.create(new(Role::Banker), 2).await.unwrap();
    home.revoke(KeyRef::Id(by_id.id)).await.unwrap();
    home.revoke(KeyRef::Prefix(by_prefix.prefix().into())).await.unwrap();
    home.revoke(KeyRef::Id(by_id.id)).await.unwrap();
    assert!(by_id.is_revoked() && by_prefix.is_revoked(), "whoever holds it sees it");

    let home = home.restart().await;
    for secret in [first, second] {
        assert_eq!(home.who(&secret, NOW).unwrap_err(), Unauthenticated::Unknown);
    }
    let list = home.keys.list_keys().await.unwrap();
    assert!(list.iter().all(|key| key.revoked_at_us == Some(NOW + 1)));
    assert!(matches!(home.revoke(KeyRef::Prefix("unknown0".into())).await, Err(KeyError::NotFound)));
}

#[tokio::test]
async fn an_expired_key_is_dead_from_its_end_on() {
    let home = Home::new().await;
    let (_, secret) =
        home.create(NewKey { expires_at_us: Some(NOW + 10), ..new(Role::Auditor) }, 1).await.unwrap();
    assert!(home.who(&secret, NOW + 9).is_ok());
    assert_eq!(home.who(&secret, NOW + 10).unwrap_err(), Unauthenticated::Expired);
}

#[rstest]
#[case::no_name(NewKey { name: "".into(), ..new(Role::Admin) }, "name")]
#[case::a_line_break_in_the_name(NewKey { name: "a\nb".into(), ..new(Role::Admin) }, "name")]
#[case::customer_without_accounts(NewKey { accounts: vec![], ..new(Role::Customer) }, "at least one")]
#[case::banker_with_accounts(NewKey { accounts: vec![1], ..new(Role::Banker) }, "only a customer's key")]
#[case::customer_with_drawer(NewKey { drawer: Some(1), ..new(Role::Customer) }, "only a banker's key")]
#[case::account_zero(NewKey { accounts: vec![0], ..new(Role::Customer) }, "0 is no account id")]
#[case::drawer_too_large(NewKey { drawer: Some(u64::MAX), ..new(Role::Banker) }, "is no account id")]
#[case::expired(NewKey { expires_at_us: Some(NOW), ..new(Role::Admin) }, "later end")]
#[tokio::test]
async fn a_key_that_makes_no_sense_is_refused(#[case] key: NewKey, #[case] message: &str) {
    let home = Home::new().await;
    let error = home.create(key, 1).await.unwrap_err().to_string();
    assert!(error.contains(message), "{error}");
    assert_eq!(home.keys.list_keys().await.unwrap(), []);
}

#[tokio::test]
async fn every_change_leaves_an_audit_record_with_its_actor() {
    let home = Home::new().await;
    let (made, _) = home.create(new(Role::Customer), 1).await.unwrap();
    home.revoke(KeyRef::Id(made.id)).await.unwrap();
    home.outside("UPDATE api_keys SET name = 'renamed'").await.unwrap();
    home.outside("DELETE FROM api_key_accounts WHERE account_id = 101").await.unwrap();

    let records = audit::list(&home.keys.database, 0, 100).await.unwrap();
    let lines: Vec<_> = records
        .iter()
        .map(|r| {
            assert_eq!(r.object_id, made.id.simple().to_string());
            (r.actor.as_str(), r.origin.as_deref(), r.action.as_str())
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("root", Some("command line"), "create"),
            ("root", Some("command line"), "add_account"),
            ("root", Some("command line"), "add_account"),
            ("root", Some("command line"), "revoke"),
            ("outside", None, "change"),
            ("outside", None, "remove_account"),
        ]
    );
    assert_eq!(records[3].at_us, NOW + 1);
    assert_eq!(records[4].before.as_ref().unwrap()["name"], "test");
    assert_eq!(records[4].after.as_ref().unwrap()["name"], "renamed");
}

#[rstest]
#[case::delete("DELETE FROM api_keys", "never deleted")]
#[case::unrevoke("UPDATE api_keys SET revoked_at = NULL", "revoked is final")]
#[case::new_owner("UPDATE api_keys SET principal = 'q'", "make a new key")]
#[case::more_power("UPDATE api_keys SET role = 'admin'", "make a new key")]
#[case::replace("INSERT OR REPLACE INTO api_keys SELECT * FROM api_keys", "used once")]
#[case::replace_in_update("UPDATE OR REPLACE api_keys SET hash = zeroblob(32)", "make a new key")]
#[case::internal(
    "INSERT INTO api_keys (id, prefix, hash, name, principal, role, created_at, created_by)
     VALUES (randomblob(16), 'xxxxxxxx', randomblob(32), 'n', 'internal:payments', 'admin', 1, 'x')",
    "CHECK constraint failed"
)]
#[case::rewrite_audit("UPDATE audit_records SET actor = 'somebody else'", "append-only")]
#[case::delete_audit("DELETE FROM audit_records", "append-only")]
#[case::replace_audit("INSERT OR REPLACE INTO audit_records SELECT * FROM audit_records", "append-only")]
#[case::rewrite_hash("UPDATE audit_chain SET hash = zeroblob(32)", "append-only")]
#[case::delete_hash("DELETE FROM audit_chain", "append-only")]
#[case::replace_hash("INSERT OR REPLACE INTO audit_chain SELECT * FROM audit_chain", "append-only")]
#[case::sign_for_another(
    "INSERT INTO audit_records (at, actor, action, object, object_id) VALUES (1, 'root', 'a', 'b', 'c')",
    "signed by who acts"
)]
#[case::leave_numbers_out(
    "INSERT INTO audit_records (id, at, actor, action, object, object_id) VALUES (99, 1, 'outside', 'a', 'b', 'c')",
    "without gaps"
)]
#[tokio::test]
async fn the_database_itself_refuses(#[case] sql: &'static str, #[case] message: &str) {
    let home = Home::new().await;
    let (made, _) = home.create(new(Role::Customer), 1).await.unwrap();
    home.revoke(KeyRef::Id(made.id)).await.unwrap();
    let error = home.outside(sql).await.unwrap_err();
    assert!(error.contains(message), "{error}");
}

#[tokio::test]
async fn refresh_writes_last_used_and_takes_over_what_was_done_by_hand() {
    let home = Home::new().await;
    let (used, used_secret) = home.create(new(Role::Admin), 1).await.unwrap();
    let (revoked, revoked_secret) = home.create(new(Role::Banker), 2).await.unwrap();
    let (less, less_secret) = home.create(new(Role::Customer), 3).await.unwrap();
    used.set_principal_id(3);
    less.set_principal_id(4);
    home.who(&used_secret, NOW + MINUTE).unwrap();
    home.outside("UPDATE api_keys SET revoked_at = 5 WHERE role = 'banker'").await.unwrap();
    home.outside("DELETE FROM api_key_accounts WHERE account_id = 101").await.unwrap();
    let audited = audit::list(&home.keys.database, 0, 100).await.unwrap().len();

    home.keys.refresh(NOW + 2 * MINUTE).await.unwrap();

    assert!(Arc::ptr_eq(&used, &home.who(&used_secret, NOW).unwrap()), "unchanged: the same object");
    assert_eq!(home.who(&revoked_secret, NOW).unwrap_err(), Unauthenticated::Unknown);
    let now = home.who(&less_secret, NOW).unwrap();
    assert_eq!((&*now.accounts, now.principal_id()), (&[102][..], Some(4)));
    assert!(revoked.is_revoked(), "whoever holds it sees it");
    assert!(less.is_revoked(), "those who hold the wider grant must stop");
    assert_eq!(audit::list(&home.keys.database, 0, 100).await.unwrap().len(), audited, "use is no change");

    let list = home.restart().await.keys.list_keys().await.unwrap();
    let at: Vec<_> = list.iter().map(|key| (key.role, key.last_used_us)).collect();
    assert!(at.contains(&(Role::Admin, Some(NOW + MINUTE))), "{at:?}");
}
