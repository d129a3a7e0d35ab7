//! A small bank with a bit of everything, and every kind of damage done to copies of it.

mod bank;
mod damage;
mod forged;
mod trail;

use std::path::Path;

use super::{Check, Report};

async fn verify(dir: &Path) -> Report {
    super::verify(dir, Box::new(|_, _| ())).await.unwrap()
}

fn check<'a>(report: &'a Report, name: &str) -> &'a Check {
    report.checks.iter().find(|check| check.name == name).expect("a check of that name")
}

/// The names of the checks that do not hold.
fn failed(report: &Report) -> Vec<&'static str> {
    report.checks.iter().filter(|check| !check.ok).map(|check| check.name).collect()
}
