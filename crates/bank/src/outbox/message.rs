//! An event on its way out: a CloudEvent 1.0 in structured JSON.
//!
//! Its id is bank, timeline and sequence, so whoever has seen it knows it again. `sequence` puts the events of a bank
//! in order and `partitionkey` is the first lane: what has the same one arrives in order.

use bytes::Bytes;
use journal::Identity;
use ledger::Event;
use serde::Serialize;

use super::lanes::LaneIds;
use super::template::Templates;
use crate::http::wire::{EventOut, hex};

/// An event as it goes out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Bank, timeline and sequence.
    pub id: String,
    /// Its position in the journal; 0 for a test.
    pub sequence: u64,
    /// Its type, such as `bankcore.posted`.
    pub kind: String,
    /// The document.
    pub body: Bytes,
}

/// How the types of our events begin.
const PREFIX: &str = "bankcore";

#[derive(Serialize)]
struct CloudEvent<'a, D: Serialize> {
    specversion: &'static str,
    id: &'a str,
    source: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    time: &'a str,
    datacontenttype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partitionkey: Option<String>,
    data: D,
}

/// An event, and the text of its notification.
#[derive(Serialize)]
struct Data<'a> {
    #[serde(flatten)]
    event: &'a EventOut,
    #[serde(skip_serializing_if = "Option::is_none")]
    notification: Option<&'a str>,
}

#[derive(Serialize)]
struct Trial<'a> {
    #[serde(skip_serializing_if = "Templates::is_empty")]
    notifications: &'a Templates,
}

impl Message {
    /// Of an event as its subscriber may see it, with the text that a template made of it.
    #[must_use]
    pub fn of(event: &Event, shown: &EventOut, source: &str, lanes: &LaneIds, text: Option<&str>) -> Message {
        let kind = format!("{PREFIX}.{}", shown.kind);
        let document = CloudEvent {
            specversion: "1.0",
            id: &shown.id,
            source,
            kind: &kind,
            time: &shown.time,
            datacontenttype: "application/json",
            // Of equal length, so that texts are in order as their numbers are.
            sequence: Some(format!("{:020}", event.sequence.0)),
            partitionkey: lanes.first().map(u64::to_string),
            data: Data { event: shown, notification: text },
        };
        let body = serde_json::to_vec(&document).unwrap_or_default().into();
        Message { id: shown.id.clone(), sequence: event.sequence.0, kind, body }
    }

    /// A message that says nothing but that messages arrive, and what templates make of an example.
    #[must_use]
    pub fn trial(id: &str, source: &str, time: &str, examples: &Templates) -> Message {
        let kind = format!("{PREFIX}.test");
        let document = CloudEvent {
            specversion: "1.0",
            id,
            source,
            kind: &kind,
            time,
            datacontenttype: "application/json",
            sequence: None,
            partitionkey: None,
            data: Trial { notifications: examples },
        };
        let body = serde_json::to_vec(&document).unwrap_or_default().into();
        Message { id: id.to_owned(), sequence: 0, kind, body }
    }

    /// Its kind alone: what a broker's subjects and routing keys are made of.
    #[must_use]
    pub fn topic(&self) -> &str {
        self.kind.split_once('.').map_or(&*self.kind, |(_, topic)| topic)
    }

    /// With a given body.
    #[cfg(test)]
    pub(super) fn test(sequence: u64, body: &str) -> Message {
        let body = Bytes::copy_from_slice(body.as_bytes());
        Message { id: format!("test-1-{sequence}"), sequence, kind: "bankcore.posted".into(), body }
    }
}

/// Where a bank's events come from: the same in all of them.
#[must_use]
pub fn source(identity: Identity) -> String {
    format!("urn:bankcore:{}", hex(&identity.bank))
}
