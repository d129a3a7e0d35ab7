//! A line to a bank on which answers are lost: a question arrives, and the connection breaks instead of the answer.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// One answer of so many is lost.
const LOST: u32 = 8;

/// Carries what comes to the bank at an address, until the test ends; answers where it listens.
pub fn to(bank: &str, seed: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let (bank, mut random) = (bank.to_owned(), StdRng::seed_from_u64(seed));
    std::thread::spawn(move || {
        for caller in listener.incoming().map_while(Result::ok) {
            // A bank that is down is met by a connection that breaks.
            if let Ok(bank) = TcpStream::connect(&bank) {
                carry(&caller, &bank, StdRng::seed_from_u64(random.random()));
            }
        }
    });
    address
}

fn carry(caller: &TcpStream, bank: &TcpStream, mut random: StdRng) {
    let copy = |stream: &TcpStream| stream.try_clone().expect("a descriptor");
    pump(copy(caller), copy(bank), || false);
    pump(copy(bank), copy(caller), move || random.random_ratio(1, LOST));
}

/// Carries one direction in a thread of its own, until either side closes or something is lost.
fn pump(mut from: TcpStream, mut to: TcpStream, mut lost: impl FnMut() -> bool + Send + 'static) {
    std::thread::spawn(move || {
        let mut bytes = [0; 64 << 10];
        loop {
            match from.read(&mut bytes) {
                Ok(count) if count > 0 && !lost() && to.write_all(&bytes[..count]).is_ok() => {}
                _ => break,
            }
        }
        for stream in [from, to] {
            let _ = stream.shutdown(Shutdown::Both);
        }
    });
}
