//! API keys as a specification.

use std::sync::Arc;

use bank::database::{Actor, Database, audit};
use bank::identity::{
    Credential, KeyError, KeyMaterial, KeyRef, KeyStore, NewKey, Role, Secret, Unauthenticated,
};
use uuid::Uuid;

use super::homes::{Home, NOW};

const MINUTE: i64 = 60_000_000;

/// A service's keys.
pub struct Desk<'a, H> {
    home: &'a H,
    pub database: Database,
    pub keys: KeyStore,
}

impl<'a, H: Home> Desk<'a, H> {
    pub async fn open(home: &'a H) -> Desk<'a, H> {
        let database = home.open().await;
        Desk { home, keys: KeyStore::open(database.clone()).await.unwrap(), database }
    }

    pub async fn create(&self, new: NewKey, n: u8) -> Result<(Arc<Credential>, Secret), KeyError> {
        let material = KeyMaterial::from_bytes(&[n; KeyMaterial::BYTES]);
        self.keys.create_key(new, &Actor::new("root", "command line"), &material, NOW).await
    }

    pub async fn revoke(&self, key: KeyRef) -> Result<Uuid, KeyError> {
        self.keys.revoke_key(&key, &Actor::new("root", "command line"), NOW + 1).await
    }

    pub fn who(&self, secret: &Secret, now_us: i64) -> Result<Arc<Credential>, Unauthenticated> {
        self.keys.directory().authenticate(secret.expose(), now_us)
    }

    async fn restart(self) -> Desk<'a, H> {
        let home = self.home;
        self.database.close().await;
        Desk::open(home).await
    }
}

pub fn new(role: Role) -> NewKey {
    NewKey {
        name: "test".into(),
        principal: "p".parse().unwrap(),
        role,
        accounts: if role == Role::Customer { vec![102, 101, 102] } else { vec![] },
        drawer: (role == Role::Banker).then_some(7),
        expires_at_us: None,
    }
}

pub async fn a_key_authenticates_at_once_and_after_a_restart<H: Home>() {
    let home = H::fresh().await;
    let desk = Desk::open(&home).await;
    let (made, secret) = desk.create(new(Role::Customer), 1).await.unwrap();
    assert_eq!(desk.who(&secret, NOW).unwrap().id, made.id);
    assert_eq!((made.id.get_version_num(), &*made.accounts), (7, &[101, 102][..]));

    let found = desk.restart().await.who(&secret, NOW).unwrap();
    assert_eq!((found.id, found.role, &found.accounts), (made.id, made.role, &made.accounts));
    assert_eq!((&found.principal, found.drawer), (&made.principal, made.drawer));
}

pub async fn the_secret_is_nowhere<H: Home>() {
    let home = H::fresh().await;
    let desk = Desk::open(&home).await;
    let (made, secret) = desk.create(new(Role::Admin), 1).await.unwrap();
    assert!(home.holds(made.prefix()).await);
    assert!(!home.holds(&secret.expose()[13..]).await);
}

pub async fn a_wrong_secret_under_a_right_prefix_is_nobody<H: Home>() {
    let home = H::fresh().await;
    let desk = Desk::open(&home).await;
    let (_, secret) = desk.create(new(Role::Admin), 1).await.unwrap();
    let wrong = format!("{}x", &secret.expose()[..55]);
    let answer = desk.keys.directory().authenticate(&wrong, NOW);
    assert_eq!(answer.unwrap_err(), Unauthenticated::Unknown);
}

pub async fn a_revoked_key_is_dead_when_the_command_returns_and_stays_dead<H: Home>() {
    let home = H::fresh().await;
    let desk = Desk::open(&home).await;
    let (by_id, first) = desk.create(new(Role::Admin), 1).await.unwrap();
    let (by_prefix, second) = desk.create(new(Role::Banker), 2).await.unwrap();
    desk.revoke(KeyRef::Id(by_id.id)).await.unwrap();
    desk.revoke(KeyRef::Prefix(by_prefix.prefix().into())).await.unwrap();
    desk.revoke(KeyRef::Id(by_id.id)).await.unwrap();
    assert!(by_id.is_revoked() && by_prefix.is_revoked(), "whoever holds it sees it");

    let desk = desk.restart().await;
    for secret in [first, second] {
        assert_eq!(desk.who(&secret, NOW).unwrap_err(), Unauthenticated::Unknown);
    }
    let list = desk.keys.list_keys().await.unwrap();
    assert!(list.iter().all(|key| key.revoked_at_us == Some(NOW + 1)));
    assert!(matches!(desk.revoke(KeyRef::Prefix("unknown0".into())).await, Err(KeyError::NotFound)));
}

pub async fn an_expired_key_is_dead_from_its_end_on<H: Home>() {
    let home = H::fresh().await;
    let desk = Desk::open(&home).await;
    let ends = NewKey { expires_at_us: Some(NOW + 10), ..new(Role::Auditor) };
    let (_, secret) = desk.create(ends, 1).await.unwrap();
    assert!(desk.who(&secret, NOW + 9).is_ok());
    assert_eq!(desk.who(&secret, NOW + 10).unwrap_err(), Unauthenticated::Expired);
}

pub async fn a_key_that_makes_no_sense_is_refused<H: Home>() {
    let home = H::fresh().await;
    let desk = Desk::open(&home).await;
    for (key, message) in [
        (NewKey { name: "".into(), ..new(Role::Admin) }, "name"),
        (NewKey { name: "a\nb".into(), ..new(Role::Admin) }, "name"),
        (NewKey { name: "ä".repeat(101), ..new(Role::Admin) }, "name"),
        (NewKey { accounts: vec![], ..new(Role::Customer) }, "at least one"),
        (NewKey { accounts: vec![1], ..new(Role::Banker) }, "only a customer's key"),
        (NewKey { drawer: Some(1), ..new(Role::Customer) }, "only a banker's key"),
        (NewKey { accounts: vec![0], ..new(Role::Customer) }, "0 is no account id"),
        (NewKey { drawer: Some(u64::MAX), ..new(Role::Banker) }, "is no account id"),
        (NewKey { expires_at_us: Some(NOW), ..new(Role::Admin) }, "later end"),
    ] {
        let error = desk.create(key, 1).await.unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    assert_eq!(desk.keys.list_keys().await.unwrap(), []);
}

/// Every limit at its edge: what is just allowed fits into the tables.
pub async fn the_largest_key_fits<H: Home>() {
    let home = H::fresh().await;
    let desk = Desk::open(&home).await;
    let most = i64::MAX.cast_unsigned();
    let accounts: Vec<u64> = (0..1_000).map(|number| most - number).collect();
    let name = "\u{1F3E6}".repeat(100);
    let wish = NewKey { name: name.clone(), accounts, ..new(Role::Customer) };
    let wish = NewKey { principal: "p".repeat(64).parse().unwrap(), ..wish };
    let (_, secret) = desk.create(wish, 1).await.unwrap();
    let found = desk.restart().await.who(&secret, NOW).unwrap();
    assert_eq!((&*found.name, found.accounts.len(), found.accounts[999]), (&*name, 1_000, most));
}

pub async fn refresh_writes_last_used_and_takes_over_what_was_done_by_hand<H: Home>() {
    let home = H::fresh().await;
    let desk = Desk::open(&home).await;
    let (used, used_secret) = desk.create(new(Role::Admin), 1).await.unwrap();
    let (revoked, revoked_secret) = desk.create(new(Role::Banker), 2).await.unwrap();
    let (less, less_secret) = desk.create(new(Role::Customer), 3).await.unwrap();
    used.set_principal_id(3);
    less.set_principal_id(4);
    desk.who(&used_secret, NOW + MINUTE).unwrap();
    home.by_hand("UPDATE api_keys SET revoked_at = 5 WHERE role = 'banker'").await.unwrap();
    home.by_hand("DELETE FROM api_key_accounts WHERE account_id = 101").await.unwrap();
    let audited = audit::list(&desk.database, 0, 100).await.unwrap().len();

    desk.keys.refresh(NOW + 2 * MINUTE).await.unwrap();

    assert!(Arc::ptr_eq(&used, &desk.who(&used_secret, NOW).unwrap()), "unchanged: the same object");
    assert_eq!(desk.who(&revoked_secret, NOW).unwrap_err(), Unauthenticated::Unknown);
    let now = desk.who(&less_secret, NOW).unwrap();
    assert_eq!((&*now.accounts, now.principal_id()), (&[102][..], Some(4)));
    assert!(revoked.is_revoked(), "whoever holds it sees it");
    assert!(less.is_revoked(), "those who hold the wider grant must stop");
    assert_eq!(audit::list(&desk.database, 0, 100).await.unwrap().len(), audited, "use is no change");

    let list = desk.restart().await.keys.list_keys().await.unwrap();
    let at: Vec<_> = list.iter().map(|key| (key.role, key.last_used_us)).collect();
    assert!(at.contains(&(Role::Admin, Some(NOW + MINUTE))), "{at:?}");
}

/// What `serve` does every second: so a key that was revoked elsewhere is dead here a moment later.
pub async fn a_look_takes_over_what_another_service_changed<H: Home>() {
    let home = H::fresh().await;
    let (here, there) = (Desk::open(&home).await, Desk::open(&home).await);
    let (made, secret) = there.create(new(Role::Admin), 1).await.unwrap();
    assert_eq!(here.who(&secret, NOW).unwrap_err(), Unauthenticated::Unknown);
    here.keys.follow().await.unwrap();
    let held = here.who(&secret, NOW).unwrap();
    here.keys.follow().await.unwrap();
    assert!(Arc::ptr_eq(&held, &here.who(&secret, NOW).unwrap()), "nothing new: nothing is read again");
    there.revoke(KeyRef::Id(made.id)).await.unwrap();
    here.keys.follow().await.unwrap();
    assert_eq!(here.who(&secret, NOW).unwrap_err(), Unauthenticated::Unknown);
    assert!(held.is_revoked());
}
