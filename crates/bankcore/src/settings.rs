//! From the settings of the command line to those of the bank: the one place where the two meet.

use bank::http;
use bank::http::listen::{ServeError, Tls};
use bank::sequencer::QueueLimits;
use bank::service::{BusinessDays, Settings};
use bank::store::{journal as store, mysql};
use bank::{intake, outbox};

use crate::config::{BusinessDay, Config, Rate};

/// Bytes of a plain transfer's record; what a segment holds of them at most.
const TRANSFER_BYTES: u64 = 192;

/// Room of a segment that frames cannot use: its header, and a block to confirm the last frame.
const SEGMENT_MARGIN: u64 = 8 << 10;

/// How the bank is run.
pub fn service(config: &Config) -> Settings {
    let defaults = store::Settings::default();
    let mut journal = defaults.journal;
    journal.segment_bytes = config.segment_bytes;
    journal.frame_bytes_max = journal.frame_bytes_max.min(config.segment_bytes - SEGMENT_MARGIN);
    let snapshot_every = u64::from(config.snapshot_every_segments) * (config.segment_bytes / TRANSFER_BYTES);
    let rate = |rate: Rate| (rate.per_second, rate.burst);
    Settings {
        name: config.name.as_str().into(),
        store: store::Settings { journal, snapshot_every, ..defaults },
        queue: QueueLimits { submissions: config.queue_submissions, commands: config.queue_submissions },
        clock_jump_us: i64::try_from(config.clock_jump.as_micros()).unwrap_or(i64::MAX),
        quota: rate(config.quota),
        refusals: rate(config.refusal_budget),
        business_days: match config.business_day {
            BusinessDay::Calendar => BusinessDays::Calendar,
            BusinessDay::Manual => BusinessDays::Manual,
        },
        outbox: outbox(config),
    }
}

fn outbox(config: &Config) -> outbox::Settings {
    let broker = |url: &Option<String>, place: &str| {
        url.as_deref().map(|url| outbox::Broker { url: outbox::HiddenUrl::new(url), place: place.to_owned() })
    };
    let file = config.event_file.clone();
    outbox::Settings {
        webhook_allow: config.webhook_allow.clone(),
        begin: config.outbox_begin,
        file: file.map(|path| outbox::FileSettings { path, bytes_max: config.event_file_bytes }),
        nats: broker(&config.nats, &config.nats_stream),
        rabbitmq: broker(&config.rabbitmq, &config.rabbitmq_exchange),
    }
}

/// Where transfers come from as messages.
pub fn intake(config: &Config) -> intake::Settings {
    let broker = |url: &Option<String>, place: &Option<String>| {
        let (url, place) = (outbox::HiddenUrl::new(url.as_deref()?), place.clone()?);
        Some(outbox::Broker { url, place })
    };
    intake::Settings {
        nats: broker(&config.nats, &config.nats_intake),
        rabbitmq: broker(&config.rabbitmq, &config.rabbitmq_intake),
    }
}

/// The database in which the books are, if they are in one.
pub fn database(config: &Config) -> Option<mysql::Settings> {
    let url = config.store.as_deref()?;
    Some(mysql::Settings {
        accept_weak_durability: config.accept_weak_durability,
        ..mysql::Settings::new(url)
    })
}

/// How the interface behaves.
pub fn http(config: &Config) -> http::Settings {
    http::Settings {
        body_bytes_max: config.body_bytes_max,
        behind_proxy: config.behind_proxy,
        tls: config.tls.is_some(),
    }
}

/// Certificate and key, read, if TLS is spoken here.
///
/// # Errors
/// If the files cannot be used.
pub fn tls(config: &Config) -> Result<Option<Tls>, ServeError> {
    config.tls.as_ref().map(|tls| Tls::read(&tls.cert, &tls.key)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ServeArgs;

    #[test]
    fn every_size_of_a_segment_makes_a_bank() {
        for mib in [1, 2, 32, 33, 64, 1_024] {
            let args = ServeArgs { segment_mib: Some(mib), ..ServeArgs::default() };
            let config = Config::resolve(&args, &|_| None).unwrap();
            let journal = service(&config).store.journal;
            assert_eq!(journal.frame_bytes_max % 4_096, 0, "{mib}");
            assert!(journal.frame_bytes_max <= 32 << 20, "{mib}");
            assert!(journal.frame_bytes_max + 8_192 <= journal.segment_bytes, "{mib}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_smallest_segment_opens_and_decides() {
        let dir = tempfile::tempdir().unwrap();
        let args = ServeArgs { segment_mib: Some(1), ..ServeArgs::default() };
        let config = Config::resolve(&args, &|_| None).unwrap();
        let opened = bank::service::create(dir.path(), &service(&config)).await.unwrap();
        assert!(opened.books.day().await.unwrap().open.is_some());
        opened.close().await;
    }
}
