//! The rules thread's side: one connection, and what to do when the server says no or nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use journal::{Head, Identity};
use ledger::{AccountId, Digest, Event, Sequence, State, View};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use tokio::runtime::Runtime;

use super::books::{Books, Sent};
use super::failure::{Meaning, OpenError, meaning};
use super::follow::{self, Failure};
use super::session::{self, Server, Settings, silence, sql, within};
use super::{Shared, hex, import, rights, schema, snapshots};
use crate::sequencer::{Answer, Fault, Prior, Query, Receipt, Submission};
use crate::store::{Answered, Store, Unsettled, answer};

/// How often a batch is tried before its callers are told to come again.
const TRIES: u32 = 8;
/// The pause after the first failed try; each is twice the one before, and a random half of it is left out.
const PAUSE: Duration = Duration::from_millis(4);
/// What others write is seen within this, be there requests or not.
const IDLE: Duration = Duration::from_millis(200);

/// The writing side of the MySQL store.
pub struct Writing {
    runtime: Runtime,
    link: Link,
    books: Books,
    tries: u32,
    /// After this the batch under way is not begun again: with the last try, and looking for what became of it,
    /// its callers are answered within [`Settings::ANSWERED_WITHIN`] times the patience.
    until: Option<Instant>,
    shared: Arc<Shared>,
}

/// The connection, made anew when it is gone.
struct Link {
    options: MySqlConnectOptions,
    patience: Duration,
    connection: Option<MySqlConnection>,
}

impl Link {
    async fn get(&mut self) -> Result<&mut MySqlConnection, sqlx::Error> {
        if self.connection.is_none() {
            self.connection = Some(session::connect(&self.options, self.patience).await?);
        }
        Ok(self.connection.as_mut().expect("just made"))
    }

    /// Leaves no transaction behind: what an error undid was perhaps only a statement. A connection that is gone
    /// or cannot even do that is let go, and the server rolls back.
    async fn abandon(&mut self, why: Option<&Failure>) {
        if matches!(why, Some(Failure::Sql(error)) if meaning(error) == Meaning::Lost) {
            self.connection = None;
        }
        let Some(connection) = self.connection.as_mut() else { return };
        if within(self.patience, sqlx::raw_sql("ROLLBACK").execute(connection)).await.is_err() {
            self.connection = None;
        }
    }
}

/// How a batch ended.
enum Ended {
    Kept(Head),
    /// Nothing of it is there.
    Undone(Failure),
    /// The COMMIT was sent and never answered.
    Unknown(Failure),
}

impl Writing {
    /// Connects, looks at the server and its tables, and folds the events after the newest snapshot.
    pub(super) fn open(settings: &Settings, fresh: Identity) -> Result<(Writing, Identity), OpenError> {
        let options = settings.options()?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(OpenError::Thread)?;
        let mut link = Link { options, patience: settings.patience, connection: None };
        let identity = runtime.block_on(async {
            let looked = tokio::time::timeout(settings.patience, look(&mut link, settings, fresh)).await;
            looked.unwrap_or_else(|_| Err(OpenError::from_driver(&silence(settings.patience))))
        })?;
        let mut instance = [0; 16];
        getrandom::fill(&mut instance).map_err(OpenError::Randomness)?;
        let snapshot = load(&runtime, &mut link);
        let from_snapshot = snapshot.is_some();
        let (state, head) = snapshot.unwrap_or_else(|| (State::new(), Head::start(&identity)));
        let shared = Arc::new(Shared::of(&identity, &state));
        let books = Books::new(state, head, instance);
        let mut writing = Writing { runtime, link, books, tries: 0, until: None, shared };
        match writing.catch_up() {
            Err(Fault::Unreadable(why)) if from_snapshot => {
                tracing::warn!(why, "the newest snapshot is not of these books; all events are folded");
                let state = State::new();
                writing.shared = Arc::new(Shared::of(&identity, &state));
                writing.books = Books::new(state, Head::start(&identity), instance);
                writing.catch_up()?;
            }
            other => other?,
        }
        writing.publish();
        Ok((writing, identity))
    }

    /// What both sides know.
    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The books as they stand, the batch under construction included.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.books.state
    }

    /// Lets the connection go, and keeps the books.
    #[must_use]
    pub fn into_state(self) -> State {
        self.books.state
    }

    /// Folds all events, for as long as there are more: the first start may take long, and a silent server not.
    fn catch_up(&mut self) -> Result<(), Fault> {
        loop {
            let stood = self.books.head.sequence;
            match self.begin(&[], None) {
                Err(fault) if self.books.head.sequence == stood => return Err(fault),
                Err(fault) => tracing::info!(%fault, at = self.books.head.sequence, "reading goes on"),
                Ok(()) => {
                    self.rest();
                    return Ok(());
                }
            }
        }
    }

    fn try_begin(&mut self, batch: &[Submission], time: Option<i64>) -> Result<(), Failure> {
        let Writing { runtime, link, books, shared, .. } = self;
        runtime.block_on(async {
            let patience = link.patience;
            let begun = tokio::time::timeout(patience, async {
                let connection = link.get().await?;
                books.begin(connection, shared, batch, time).await
            });
            begun.await.unwrap_or_else(|_| Err(Failure::Sql(silence(patience))))
        })
    }

    fn send(&mut self, Sent { packets, head }: Sent) -> Ended {
        let Writing { runtime, link, .. } = self;
        let patience = link.patience;
        // Never a new connection: outside the transaction that was begun, each statement would be kept on its own.
        let Some(connection) = link.connection.as_mut() else {
            return Ended::Undone(Failure::Sql(sqlx::Error::WorkerCrashed));
        };
        runtime.block_on(async {
            let packets = async {
                for packet in packets {
                    sql(packet).execute(&mut *connection).await?;
                }
                Ok(())
            };
            if let Err(error) = within(patience, packets).await {
                return Ended::Undone(error.into());
            }
            match within(patience, sqlx::raw_sql("COMMIT").execute(connection)).await {
                Ok(_) => Ended::Kept(head),
                Err(error) => Ended::Unknown(error.into()),
            }
        })
    }

    /// Asks until it is known whether the batch arrived, within bounds.
    fn look_for(&mut self, head: Head, why: Failure) -> Ended {
        self.link.connection = None;
        let until = Instant::now() + self.link.patience;
        for again in (0..TRIES).take_while(|again| *again == 0 || Instant::now() < until) {
            std::thread::sleep(pause(again + 2));
            let Writing { runtime, link, books, .. } = self;
            let arrived = runtime.block_on(async {
                let patience = link.patience;
                let asked = tokio::time::timeout(patience, async {
                    let connection = link.get().await?;
                    books.has_arrived(connection).await
                });
                asked.await.unwrap_or_else(|_| Err(Failure::Sql(silence(patience))))
            });
            match arrived {
                Ok(true) => return Ended::Kept(head),
                Ok(false) => return Ended::Undone(why),
                Err(failure) => {
                    tracing::warn!(?failure, "the outcome of a batch is not known yet");
                    self.link.connection = None;
                }
            }
        }
        Ended::Unknown(why)
    }

    /// Another try? Waits a little if so.
    fn again(&mut self, failure: &Failure) -> bool {
        let Failure::Sql(error) = failure else { return false };
        self.tries += 1;
        let late = self.until.is_none_or(|until| Instant::now() >= until);
        if meaning(error) == Meaning::Wrong || self.tries >= TRIES || late {
            return false;
        }
        tracing::debug!(%error, tries = self.tries, "a batch is begun again");
        std::thread::sleep(pause(self.tries));
        true
    }

    /// Takes the batch back, here and on the server.
    fn abandon(&mut self, why: Option<&Failure>) {
        self.books.take_back();
        let Writing { runtime, link, .. } = self;
        runtime.block_on(link.abandon(why));
    }

    /// The batch has ended, one way or another.
    fn rest(&mut self) {
        self.tries = 0;
        self.until = None;
    }

    fn publish(&self) {
        let head = self.books.head;
        self.shared.head.send_replace(head);
        self.shared
            .durable
            .send_if_modified(|durable| std::mem::replace(durable, head.sequence) != head.sequence);
    }
}

impl Store for Writing {
    fn ready(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn begin(&mut self, batch: &[Submission], time: Option<i64>) -> Result<(), Fault> {
        let patience = self.link.patience;
        self.until.get_or_insert_with(|| Instant::now() + patience);
        loop {
            match self.try_begin(batch, time) {
                Ok(()) => return Ok(()),
                Err(failure) => {
                    self.abandon(Some(&failure));
                    if !self.again(&failure) {
                        self.rest();
                        return Err(failure.fault());
                    }
                }
            }
        }
    }

    fn view<'a>(&'a self, _prior: &'a Prior) -> impl View + 'a {
        self.books.state.view(|digest: &Digest| self.books.claims.get(digest).copied())
    }

    fn next(&self) -> Sequence {
        self.books.state.head().next()
    }

    fn time(&self) -> i64 {
        self.books.state.time()
    }

    fn due(&self, time: i64) -> Option<Sequence> {
        self.books.state.due(time).filter(|hold| self.books.may_end(*hold))
    }

    fn next_due(&self) -> Option<i64> {
        self.books.state.next_due()
    }

    fn suspects(&self) -> Vec<AccountId> {
        self.books.suspects()
    }

    fn accept(&mut self, event: &Event) -> u32 {
        self.books.accept(event)
    }

    fn answer(&self, query: &Query, _prior: &Prior) -> Answer {
        answer::answer(&self.books.state, query, |digest| self.books.claims.get(digest).copied())
    }

    fn settle(&mut self) -> Result<(), Unsettled> {
        if !self.books.is_deciding() {
            self.rest();
            return Ok(());
        }
        if self.books.is_empty() {
            self.abandon(None);
            self.rest();
            return Ok(());
        }
        if self.books.has_missed() {
            self.abandon(None);
            return Err(Unsettled::Again);
        }
        let sent = self.books.to_send();
        let head = sent.head;
        let ended = match self.send(sent) {
            Ended::Unknown(why) => self.look_for(head, why),
            ended => ended,
        };
        match ended {
            Ended::Kept(head) => {
                self.books.keep(head, &self.shared);
                self.rest();
                Ok(())
            }
            Ended::Undone(failure) => {
                self.abandon(Some(&failure));
                if self.again(&failure) {
                    return Err(Unsettled::Again);
                }
                self.rest();
                Err(Unsettled::Fault(failure.fault()))
            }
            Ended::Unknown(failure) => {
                // If it did arrive, the next batch takes it in like anybody's.
                self.abandon(Some(&failure));
                self.rest();
                Err(Unsettled::Fault(Fault::Unavailable(format!(
                    "it is not known whether it was kept: {failure}"
                ))))
            }
        }
    }

    fn idle(&self) -> Duration {
        IDLE
    }

    fn hand_over(&mut self, answers: Vec<Answered>) {
        self.publish();
        let frame = Arc::new(std::mem::take(&mut self.books.batch));
        let as_of = self.books.state.head();
        for Answered { outcomes, reply } in answers {
            reply(Ok(Receipt { outcomes, frame: Arc::clone(&frame), as_of }));
        }
    }
}

/// Twice as long each time, less a random part of up to a half, so that those who met do not meet again.
fn pause(tries: u32) -> Duration {
    let longest = PAUSE * (1 << tries.min(8));
    let mut random = [0];
    // Without randomness the pauses are merely all the same.
    let _ = getrandom::fill(&mut random);
    longest - longest / 2 * u32::from(random[0]) / 255
}

/// The newest snapshot that can be used. Without one the start takes longer, so nothing that is wrong with it matters.
fn load(runtime: &Runtime, link: &mut Link) -> Option<(State, Head)> {
    let patience = link.patience;
    let connection = link.connection.as_mut()?;
    let found = runtime.block_on(async {
        tokio::time::timeout(patience, snapshots::find(connection, u64::MAX)).await.ok()?.ok()?
    })?;
    let part = |number| {
        let part = snapshots::part(connection, found.head.sequence, number);
        runtime.block_on(async { tokio::time::timeout(patience, part).await.ok()?.ok()? })
    };
    found.load(part).map(|state| (state, found.head))
}

/// Looks at the server and its tables. Books that were never opened get `fresh` as their identity.
async fn look(link: &mut Link, settings: &Settings, fresh: Identity) -> Result<Identity, OpenError> {
    let fault = |error: sqlx::Error| OpenError::from_driver(&error);
    let connection = link.get().await.map_err(fault)?;
    let (server, weak) = Server::ask(connection).await.map_err(fault)?;
    if !server.is_known() {
        return Err(OpenError::Version(server.version));
    }
    match weak {
        Some(weak) if !settings.accept_weak_durability => return Err(weak),
        Some(weak) => tracing::warn!("{weak}"),
        None => {}
    }
    schema::check(connection).await?;
    rights::check(connection).await?;
    import::check_whole(connection).await?;
    if let Some(tip) =
        follow::tip(connection, false).await.map_err(|failure| OpenError::from(failure.fault()))?
    {
        return Ok(Identity { bank: tip.bank, timeline: tip.timeline });
    }
    let mut text = String::from(
        "INSERT INTO ledger_head (id,bank_id,timeline,sequence,hash,time_us,accounts,names) VALUES (1,",
    );
    hex::push(&mut text, &fresh.bank);
    text.push_str(&format!(",{},0,", fresh.timeline));
    hex::push(&mut text, &Head::start(&fresh).hash);
    text.push_str(",0,0,0)");
    sql(text).execute(connection).await.map_err(fault)?;
    Ok(fresh)
}
