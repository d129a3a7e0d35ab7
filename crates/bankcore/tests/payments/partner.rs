//! The partner: `bankcore partner` as a process, started again whenever it crashes.

use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::bank::{Bank, end, free_port, is_gone, start};
use crate::common::http;

pub struct Partner {
    address: String,
    crashes: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    keeper: Option<JoinHandle<()>>,
    _folder: TempDir,
}

impl Partner {
    pub fn start(bank: &Bank, faults: &str) -> Partner {
        let folder = tempfile::Builder::new().prefix("bankcore-partner").tempdir().expect("a folder");
        let secret = folder.path().join("secret");
        std::fs::write(&secret, bank.rail()["secret"].as_str().expect("a secret")).expect("a file");
        let text = |name: &str| bank.rail()[name].as_str().expect("text").to_owned();
        let (key_id, notices) = (text("key_id"), text("notices"));
        let address = free_port();
        let data = folder.path().join("data");
        let (crashes, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let life = {
            let (address, faults) = (address.clone(), faults.to_owned());
            let path = |path: &std::path::Path| path.to_str().expect("a plain path").to_owned();
            let (data, secret) = (path(&data), path(&secret));
            move |seed: usize| -> Child {
                // Each life throws other dice, or it would crash at the same request for ever.
                let seed = seed.to_string();
                let words = [
                    "partner",
                    "--listen",
                    &address,
                    "--data",
                    &data,
                    "--secret-file",
                    &secret,
                    "--key-id",
                    &key_id,
                    "--notices",
                    &notices,
                    "--faults",
                    &faults,
                    "--seed",
                    &seed,
                ];
                start(&words, &address)
            }
        };
        let first = life(0);
        let keeper = {
            let (crashes, stop) = (Arc::clone(&crashes), Arc::clone(&stop));
            std::thread::spawn(move || {
                let mut process = first;
                while !stop.load(Ordering::Relaxed) {
                    if is_gone(&mut process) {
                        process = life(crashes.fetch_add(1, Ordering::Relaxed) + 1);
                    }
                    std::thread::sleep(Duration::from_millis(5));
                }
                end(&mut process);
            })
        };
        Partner { address, crashes, stop, keeper: Some(keeper), _folder: folder }
    }

    /// Where it is asked.
    pub fn url(&self) -> String {
        format!("http://{}/rail", self.address)
    }

    pub fn crashes(&self) -> usize {
        self.crashes.load(Ordering::Relaxed)
    }

    /// What it has decided and credited.
    pub fn payments(&self) -> Value {
        let begun = Instant::now();
        loop {
            if let Some(answer) = http(&self.address, "GET", "/payments", &[], "")
                && answer.status == 200
            {
                return answer.body;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "the partner answers");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(keeper) = self.keeper.take() {
            let _ = keeper.join();
        }
    }
}
