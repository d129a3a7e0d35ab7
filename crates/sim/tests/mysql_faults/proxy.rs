//! A way to the server that breaks where it is told to: it understands the packets of the protocol just enough to
//! count the commands of all clients, and to tell a command from its answer.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// What becomes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The connection is cut before the server gets it.
    Before,
    /// The server gets it and answers; the connection is cut before the answer arrives.
    After,
    /// It arrives later.
    Late(Duration),
    /// It never arrives, and the connection stays.
    Lost,
}

#[derive(Default)]
struct Plan {
    seen: AtomicUsize,
    doomed: Mutex<Option<(usize, Fate)>>,
    down_afterwards: AtomicBool,
    down: AtomicBool,
}

/// See the module's story.
pub struct Proxy {
    port: u16,
    plan: Arc<Plan>,
}

impl Proxy {
    /// A way to a server on the loopback.
    pub fn to(server: u16) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let plan = Arc::<Plan>::default();
        let shared = Arc::clone(&plan);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.down.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                connect(client, server, &shared);
            }
        });
        Proxy { port, plan }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The command so many from now, from 0, meets its fate.
    pub fn doom(&self, command: usize, fate: Fate) {
        let at = self.plan.seen.load(Ordering::SeqCst) + command;
        *self.plan.doomed.lock().expect("no panic") = Some((at, fate));
    }

    /// The same, and from then on nobody gets through.
    pub fn doom_for_good(&self, command: usize, fate: Fate) {
        self.plan.down_afterwards.store(true, Ordering::SeqCst);
        self.doom(command, fate);
    }

    /// All is well again; says whether anything has met its fate.
    pub fn heal(&self) -> bool {
        self.plan.down_afterwards.store(false, Ordering::SeqCst);
        self.plan.down.store(false, Ordering::SeqCst);
        self.plan.doomed.lock().expect("no panic").take().is_none()
    }
}

impl Plan {
    fn fate(&self) -> Option<Fate> {
        let number = self.seen.fetch_add(1, Ordering::SeqCst);
        let mut doomed = self.doomed.lock().expect("no panic");
        let (_, fate) = doomed.take_if(|(at, _)| *at == number)?;
        if self.down_afterwards.load(Ordering::SeqCst) {
            self.down.store(true, Ordering::SeqCst);
        }
        Some(fate)
    }
}

/// Has the server said anything since the client was cut off?
#[derive(Default)]
struct Silence {
    cut: AtomicBool,
    answered: Mutex<bool>,
    told: Condvar,
}

fn connect(client: TcpStream, server: TcpStream, plan: &Arc<Plan>) {
    let silence = Arc::<Silence>::default();
    let (from_server, to_client) =
        (server.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
    let (plan, quiet) = (Arc::clone(plan), Arc::clone(&silence));
    std::thread::spawn(move || answers(from_server, to_client, &quiet));
    std::thread::spawn(move || {
        let _ = commands(&client, &server, &plan, &silence);
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
    });
}

/// A packet is three bytes of length, a number that is 0 where a command begins, and the command.
fn commands(
    mut client: &TcpStream,
    mut server: &TcpStream,
    plan: &Plan,
    silence: &Silence,
) -> std::io::Result<()> {
    const QUIT: u8 = 1;
    let mut lost = false;
    loop {
        let mut packet = vec![0; 4];
        client.read_exact(&mut packet)?;
        let length = usize::from(packet[0]) | usize::from(packet[1]) << 8 | usize::from(packet[2]) << 16;
        packet.resize(4 + length, 0);
        client.read_exact(&mut packet[4..])?;
        let command = packet[3] == 0 && packet.get(4) != Some(&QUIT);
        match command.then(|| plan.fate()).flatten() {
            None => {}
            Some(Fate::Before) => return Ok(()),
            Some(Fate::After) => {
                silence.cut.store(true, Ordering::SeqCst);
                server.write_all(&packet)?;
                let answered = silence.answered.lock().expect("no panic");
                let patience = Duration::from_secs(10);
                let _ = silence.told.wait_timeout_while(answered, patience, |answered| !*answered);
                return Ok(());
            }
            Some(Fate::Late(by)) => std::thread::sleep(by),
            Some(Fate::Lost) => lost = true,
        }
        if !lost {
            server.write_all(&packet)?;
        }
    }
}

fn answers(mut server: TcpStream, mut client: TcpStream, silence: &Silence) {
    let mut bytes = [0; 16 << 10];
    while let Ok(count @ 1..) = server.read(&mut bytes) {
        if silence.cut.load(Ordering::SeqCst) {
            *silence.answered.lock().expect("no panic") = true;
            silence.told.notify_all();
        } else if client.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}
