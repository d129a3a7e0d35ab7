//! A line to a bank on which answers are lost, or questions of one kind: the connection breaks in their place.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// One answer of so many is lost.
const LOST: u32 = 8;

/// Carries what comes to the bank at an address, until the test ends, and loses answers; answers where it listens.
pub fn to(bank: &str, seed: u64) -> String {
    let mut random = StdRng::seed_from_u64(seed);
    open(bank, move || {
        let mut random = StdRng::seed_from_u64(random.random());
        (Box::new(|_| false), Box::new(move |_| random.random_ratio(1, LOST)))
    })
}

/// Carries everything but questions with this word in them, as long as the flag is up.
pub fn without(bank: &str, word: &'static str) -> (String, Arc<AtomicBool>) {
    let cut = Arc::new(AtomicBool::new(true));
    let flag = Arc::clone(&cut);
    let address = open(bank, move || {
        let flag = Arc::clone(&flag);
        let holds = move |bytes: &[u8]| bytes.windows(word.len()).any(|some| some == word.as_bytes());
        (Box::new(move |bytes| flag.load(Ordering::Relaxed) && holds(bytes)), Box::new(|_| false))
    });
    (address, cut)
}

/// Whether some bytes break the connection.
type Loses = Box<dyn FnMut(&[u8]) -> bool + Send>;

/// Each connection is broken by what its two say, there and back.
fn open(bank: &str, mut each: impl FnMut() -> (Loses, Loses) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let bank = bank.to_owned();
    std::thread::spawn(move || {
        for caller in listener.incoming().map_while(Result::ok) {
            // A bank that is down is met by a connection that breaks.
            if let Ok(bank) = TcpStream::connect(&bank) {
                let copy = |stream: &TcpStream| stream.try_clone().expect("a descriptor");
                let (there, back) = each();
                pump(copy(&caller), copy(&bank), there);
                pump(bank, caller, back);
            }
        }
    });
    address
}

/// Carries one direction in a thread of its own, until either side closes or something is lost.
fn pump(mut from: TcpStream, mut to: TcpStream, mut lost: Loses) {
    std::thread::spawn(move || {
        let mut bytes = [0; 64 << 10];
        loop {
            match from.read(&mut bytes) {
                Ok(count) if count > 0 && !lost(&bytes[..count]) && to.write_all(&bytes[..count]).is_ok() => {
                }
                _ => break,
            }
        }
        for stream in [from, to] {
            let _ = stream.shutdown(Shutdown::Both);
        }
    });
}
