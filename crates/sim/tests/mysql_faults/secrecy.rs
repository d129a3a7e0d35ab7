//! Passwords and the way that they go: MySQL takes one over TLS only, MariaDB is never told it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use bank::store::mysql::{self, OpenError, Settings};
use sim::server::MariaDb;

use super::bank::{by_hand, fresh, name};
use super::opening::{as_user, refused};

#[test]
fn a_password_that_may_not_go_in_the_clear() {
    let database = MariaDb::shared().migrated();
    by_hand(&database, "CREATE USER berta@'127.0.0.1' IDENTIFIED BY 'secret'");
    by_hand(&database, &format!("GRANT ALL ON {}.* TO berta@'127.0.0.1'", name(&database)));
    let in_secret = as_user(&database, "berta:secret");
    let in_the_clear = Settings::new(&format!("{}?ssl-mode=disabled", in_secret.url));
    if by_hand(&database, "SELECT VERSION()").contains("MariaDB") {
        mysql::open(&in_the_clear, &fresh()).expect("a proof is enough");
    } else {
        let error = refused(&in_the_clear);
        assert!(matches!(error, OpenError::PasswordWithoutTls), "{error}");
    }
    mysql::open(&in_secret, &fresh()).expect("in secret");
}

/// What such a MySQL says is written here, so that it is also tried where there is none.
#[test]
fn a_server_without_tls_that_wants_the_password() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = std::thread::spawn(move || ask_for_the_password(listener.accept().expect("a client").0));
    let error = refused(&Settings::new(&format!("mysql://berta:secret@127.0.0.1:{port}/bank")));
    assert!(matches!(error, OpenError::PasswordWithoutTls), "{error}");
    assert!(error.to_string().contains("switch TLS on in the server"), "{error}");
    server.join().expect("it was told no password");
}

/// A MySQL 9 that was started without TLS and has not seen this user since.
fn ask_for_the_password(mut client: TcpStream) {
    // PROTOCOL_41, PLUGIN_AUTH and what else the driver wants, but for SSL.
    const CAN: u32 = 1 << 3 | 1 << 9 | 1 << 13 | 1 << 15 | 1 << 16 | 1 << 19;
    let can = CAN.to_le_bytes();
    let greeting: [&[u8]; 9] = [
        b"\x0a9.7.4\0\x01\0\0\0",
        b"12345678\0",
        &can[..2],
        &[255, 2, 0],
        &can[2..],
        &[21],
        &[0; 10],
        b"901234567890\0",
        b"caching_sha2_password\0",
    ];
    say(&mut client, 0, &greeting.concat());
    let answer = hear(&mut client);
    assert!(answer.windows(6).any(|word| word == b"berta\0"), "who it is");
    // All of it, please.
    say(&mut client, 2, &[1, 4]);
    assert_eq!(hear(&mut client), [2], "not the password: the key to encrypt it with is asked for");
    say(&mut client, 4, b"\x01-----BEGIN PUBLIC KEY-----");
    assert_eq!(client.read(&mut [0; 64]).unwrap_or(0), 0, "nothing more is told");
}

fn say(client: &mut TcpStream, number: u8, payload: &[u8]) {
    let [a, b, c, _] = (payload.len() as u32).to_le_bytes();
    client.write_all(&[&[a, b, c, number], payload].concat()).expect("it listens");
}

fn hear(client: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 4];
    client.read_exact(&mut head).expect("it speaks");
    let mut payload = vec![0; u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize];
    client.read_exact(&mut payload).expect("all of it");
    payload
}

#[test]
fn a_way_that_must_be_secret_and_is_not() {
    let database = MariaDb::shared().migrated();
    let certain = format!("{}?ssl-mode=verify_ca", database.url);
    let error = refused(&Settings::new(&certain));
    assert!(matches!(error, OpenError::Tls(_)), "{error}");
    assert!(error.to_string().contains("ssl-ca=FILE"), "{error}");
    let authority = MariaDb::shared().authority();
    assert_eq!(authority.is_none(), by_hand(&database, "SELECT VERSION()").contains("MariaDB"));
    let Some(authority) = authority else { return };
    mysql::open(&Settings::new(&format!("{certain}&ssl-ca={}", authority.display())), &fresh())
        .expect("a certificate that is believed");
}
