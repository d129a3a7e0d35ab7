//! Which claims a batch will ask for, and the questions that answer them all.
//!
//! Keys are looked for by their digests; numbers of accounts and ends of holds only where a command names one.
//! No locks are taken: a claim made meanwhile comes with the events that are taken in under the head.

use std::collections::HashMap;

use ledger::event::Claimed;
use ledger::{Command, Digest, Request, Sequence};
use sqlx::Row;
use sqlx::mysql::MySqlConnection;

use super::hex;
use super::session::sql;
use crate::sequencer::{Query, Submission, Work};

/// Digests, by the table in which they are kept.
#[derive(Default)]
pub(super) struct Wanted {
    keys: Vec<Digest>,
    numbers: Vec<Digest>,
    ends: Vec<Digest>,
}

impl Wanted {
    /// Everything that the rules or a question of this batch may ask for.
    pub(super) fn of(batch: &[Submission]) -> Wanted {
        let mut wanted = Wanted::default();
        for submission in batch {
            match &submission.work {
                Work::Requests(requests) => requests.iter().for_each(|request| wanted.request(request)),
                Work::Group { header, members } => {
                    wanted.request(header);
                    members.iter().for_each(|member| wanted.request(member));
                }
                Work::Query(Query::Claim(digest)) => {
                    wanted.keys.push(*digest);
                    wanted.numbers.push(*digest);
                    wanted.ends.push(*digest);
                }
                Work::Query(Query::Hold(hold)) => wanted.ends.push(Digest::of_hold_end(*hold)),
                Work::Name(..) | Work::Query(_) | Work::ConfirmClock | Work::Stop => {}
            }
        }
        wanted
    }

    fn request(&mut self, request: &Request) {
        if !request.key.is_none() {
            self.keys.push(request.key);
        }
        match &request.command {
            Command::Capture { hold, .. }
            | Command::Void { hold }
            | Command::Commit { hold }
            | Command::Abort { hold } => {
                self.ends.push(Digest::of_hold_end(*hold));
            }
            Command::OpenAccount(wish) => {
                self.numbers.extend(wish.number.as_deref().map(Digest::of_number));
            }
            _ => {}
        }
    }

    /// Looks them up.
    pub(super) async fn look_up(
        &self,
        connection: &mut MySqlConnection,
        found: &mut HashMap<Digest, Claimed>,
    ) -> Result<(), sqlx::Error> {
        let tables = [
            (&self.keys, "SELECT digest, sequence, '0' FROM idempotency_keys WHERE digest IN (", ")"),
            (
                &self.numbers,
                "SELECT number_digest, opened_by, '0' FROM accounts WHERE number_digest IN (",
                ")",
            ),
            (
                &self.ends,
                "SELECT end_digest, ended_by, CAST(ended_how + 0 AS CHAR) FROM holds WHERE end_digest IN (",
                ") AND ended_by IS NOT NULL",
            ),
        ];
        for (digests, before, after) in tables {
            if digests.is_empty() {
                continue;
            }
            let mut text = String::with_capacity(100 + digests.len() * 36);
            text.push_str(before);
            hex::push_list(&mut text, digests, |text, digest| hex::push(text, &digest.0));
            text.push_str(after);
            for row in sql(text).fetch_all(&mut *connection).await? {
                let (digest, sequence, tag): (Vec<u8>, u64, String) =
                    (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                let strange = |what: &str| sqlx::Error::Decode(format!("{what} of a claim").into());
                let digest = Digest(digest.try_into().map_err(|_| strange("the digest"))?);
                let tag = tag.parse().map_err(|_| strange("the end"))?;
                found.insert(digest, Claimed { sequence: Sequence(sequence), tag });
            }
        }
        Ok(())
    }
}
