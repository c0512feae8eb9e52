//! One flow's thread: waits for one thing, hands it to the flow's machine, performs what it says. It decides nothing
//! but the order of its chores.
//!
//! A thread and not a task, because reading files blocks; the records leave through `kpl`'s tasks.
//!
//! Invariant: a descriptor is closed only when the machine gave its file up.

mod examination;
mod files;
mod handover;
mod listing;
mod outcomes;
mod refused;
mod report;

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use crate::checkpoint_saver::CheckpointSaver;
use crate::checkpoint_store::FlowSave;
use crate::clock::Clock;
use crate::config::FlowConfig;
use crate::core::flow::{Flow, Pumped};
use crate::core::lag::Lag;
use crate::core::refusal::RefusalJudge;
use crate::dead_letter_file::DeadLetterFile;
use crate::discovery::Discovery;
use crate::fs::OpenFile;
use crate::inbox::{Attention, Inbox, Letters};
use crate::publisher::Publisher;
use crate::statistics::FlowStatistics;
use crate::types::{FileId, Moment, Node};

use handover::{Handover, Trouble};
use outcomes::Retry;

/// Between two looks at what may be saved.
const SAVE_PERIOD: Duration = Duration::from_secs(1);

/// Between two rescans of a directory that the kernel does not watch for us.
const UNWATCHED_RESCAN: Duration = Duration::from_secs(1);

/// Between two reports of the same trouble.
const REPORT_PERIOD: Duration = Duration::from_secs(60);

/// Between two attempts to write a dead letter.
const DEAD_LETTER_PERIOD: Duration = Duration::from_secs(5);

/// Everything one flow works with.
#[derive(Debug)]
pub struct FlowTask {
    pub(crate) config: FlowConfig,
    pub(crate) flow: Flow,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) publisher: Arc<Publisher>,
    pub(crate) discovery: Arc<Discovery>,
    pub(crate) dead_letters: DeadLetterFile,
    pub(crate) saver: Arc<CheckpointSaver>,
    pub(crate) statistics: Arc<FlowStatistics>,
    pub(crate) clock: Clock,
    pub(crate) once: bool,
    pub(crate) patience: Duration,
    pub(crate) state: FlowState,
}

/// What the thread keeps between its chores.
#[derive(Debug, Default)]
pub struct FlowState {
    opened: HashMap<FileId, Opened>,
    letters: Letters,
    chunk: Vec<u8>,
    list_at: Moment,
    save_at: Moment,
    is_watched: bool,
    has_listed: bool,
    /// Who waits for the first listing.
    first_listing: Option<oneshot::Sender<()>>,
    /// The file whose next record found no room.
    blocked: Option<FileId>,
    awaits_room: bool,
    retries: VecDeque<Retry>,
    refusals_in_a_row: u32,
    refusals: RefusalJudge,
    /// Until then the blocked file waits because a dead letter could not be written.
    blocked_until: Moment,
    reported_at: Option<Moment>,
    unreadable: Vec<PathBuf>,
    /// How old what is not acknowledged is, for those who ask.
    lags: HashMap<FileId, Lag>,
    /// Why records were refused last, until some are stored again.
    refusal: Option<String>,
    /// What matches and is no regular file, as far as that was said.
    skipped: Vec<PathBuf>,
    /// Compressed files that cannot be read now, or are copies, with what they looked like when that was seen.
    passed_over: HashMap<Node, PassedOver>,
    /// Files that a start did not find were searched for.
    has_searched: bool,
    is_flushing: bool,
    /// The producer has ended by itself: nothing more can be sent.
    has_failed: bool,
}

/// What a compressed file looked like, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PassedOver {
    stored_size: u64,
    modified: u64,
    /// For a copy, the machine's epoch, and when it was found to be one; what cannot be read cannot be read in any.
    copy: Option<(u64, Moment)>,
}

/// A file that is held open.
#[derive(Debug)]
struct Opened {
    file: OpenFile,
    size: u64,
}

/// How a flow ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowEnd {
    /// Records handed to the producer whose outcome is not known; the next start sends them again.
    pub unacknowledged: usize,
    /// With `--once`: everything was shipped.
    pub is_complete: bool,
}

/// What a started flow tells. An error means that its thread died.
#[derive(Debug)]
pub struct StartedFlow {
    /// Hears when the first listing is over, well or not: what appears from then on is new.
    pub listed: oneshot::Receiver<()>,
    /// Hears how the flow ended.
    pub end: oneshot::Receiver<FlowEnd>,
}

/// Rings when a flow's thread ends, however it does.
struct Ringer(Arc<Notify>);

impl Drop for Ringer {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl FlowTask {
    /// Starts the thread. `ended` rings when it has ended or died.
    ///
    /// # Errors
    ///
    /// The operating system refuses a thread.
    pub fn start(mut self, number: usize, ended: Arc<Notify>) -> std::io::Result<StartedFlow> {
        let (end_sender, end) = oneshot::channel();
        let (listed_sender, listed) = oneshot::channel();
        self.state.first_listing = Some(listed_sender);
        let body = move || {
            let _ringer = Ringer(ended);
            let end = self.run();
            // Whoever waited may be gone.
            let _ = end_sender.send(end);
        };
        std::thread::Builder::new().name(format!("flow-{number}")).spawn(body)?;
        Ok(StartedFlow { listed, end })
    }

    fn run(mut self) -> FlowEnd {
        loop {
            let wait = self.next_chore().since(self.clock.now());
            let attention = if self.state.is_flushing { Attention::StopAndOutcomes } else { Attention::Stop };
            let mut letters = std::mem::take(&mut self.state.letters);
            self.inbox.wait(Some(wait), attention, &mut letters);
            self.take_outcomes(&mut letters);
            let questions = std::mem::take(&mut letters.questions);
            let stop = letters.stop;
            self.state.awaits_room &= !letters.has_room;
            if letters.directory_changed {
                self.state.list_at = Moment::ORIGIN;
            }
            self.state.letters = letters;
            self.answer(questions);
            if stop {
                return self.stop();
            }
            let result = self.pass();
            self.note(&result);
            let cannot_list = result.is_err() && !self.state.has_listed;
            if (self.once && (cannot_list || self.is_complete())) || self.state.has_failed {
                return self.stop();
            }
        }
    }

    /// When there is something to do without being told.
    fn next_chore(&self) -> Moment {
        let regular = self.state.list_at.min(self.state.save_at);
        if self.state.awaits_room {
            return regular;
        }
        match self.state.retries.front() {
            Some(retry) => regular.min(retry.due),
            None if self.state.blocked.is_some() => regular.min(self.state.blocked_until),
            None => regular.min(self.flow.next_look()),
        }
    }

    /// One round of chores; of each file that is due, one read. A chore that fails does not keep the others from being
    /// done; the first failure is answered.
    fn pass(&mut self) -> std::io::Result<()> {
        let mut result = Ok(());
        if self.clock.now() >= self.state.list_at {
            result = self.list();
            if let Some(waiting) = self.state.first_listing.take() {
                // Whoever waited may be gone.
                let _ = waiting.send(());
            }
            if result.is_err() {
                self.state.list_at = self.clock.now().plus(UNWATCHED_RESCAN);
            }
        }
        self.republish();
        let may_go_on = !self.state.awaits_room && self.clock.now() >= self.state.blocked_until;
        if let Some(blocked) = self.state.blocked.take_if(|_| may_go_on) {
            self.pump(blocked);
        }
        for file in self.flow.due(self.clock.now()) {
            if self.is_blocked() || self.inbox.is_stopped() {
                break;
            }
            if let Err(error) = self.look(file) {
                self.put_off(file, &error);
                result = result.and(Err(error));
            }
        }
        for file in self.flow.give_up_finished() {
            self.state.opened.remove(&file);
            self.state.lags.remove(&file);
        }
        if self.flow.take_save_urgency() {
            self.save_now();
        }
        if self.clock.now() >= self.state.save_at {
            self.save();
        }
        result
    }

    fn is_blocked(&self) -> bool {
        self.state.blocked.is_some() || self.state.awaits_room || !self.state.retries.is_empty()
    }

    fn pump(&mut self, file: FileId) {
        let Self { config, flow, publisher, dead_letters, clock, .. } = self;
        let mut handover =
            Handover { config, publisher, dead_letters, clock: *clock, wanted: 0, trouble: None };
        let pumped = flow.pump(file, clock.wall_time_ms(), |record| handover.take(record));
        let Handover { wanted, trouble, .. } = handover;
        match trouble {
            Some(Trouble::ProducerEnded) => self.state.has_failed = true,
            Some(Trouble::DeadLetter(error)) => {
                self.report_unwritten(&error);
                self.state.blocked = Some(file);
                self.state.blocked_until = self.clock.now().plus(DEAD_LETTER_PERIOD);
            }
            None if pumped == Pumped::Blocked => {
                self.state.blocked = Some(file);
                self.await_room(wanted);
            }
            None => {}
        }
    }

    fn await_room(&mut self, bytes: usize) {
        self.state.awaits_room = true;
        let inbox = Arc::clone(&self.inbox);
        self.publisher.when_room(bytes, move || inbox.has_room());
    }

    /// Everything that was there is read, published and acknowledged; flushes on the way.
    fn is_complete(&mut self) -> bool {
        let all_read = self.state.has_listed && self.flow.is_all_cut_or_stopped() && !self.is_blocked();
        if all_read && !self.state.is_flushing {
            self.publisher.flush();
            self.state.is_flushing = true;
        }
        all_read && self.flow.awaited() == 0
    }

    /// Reads no more, waits for what is under way, saves.
    fn stop(mut self) -> FlowEnd {
        let deadline = self.clock.now().plus(self.patience);
        self.publisher.flush();
        let mut letters = std::mem::take(&mut self.state.letters);
        while self.flow.awaited() > 0 {
            let left = deadline.since(self.clock.now());
            if left.is_zero() {
                break;
            }
            self.inbox.wait(Some(left), Attention::Outcomes, &mut letters);
            self.take_outcomes(&mut letters);
        }
        self.save();
        let all_read = self.state.has_listed && self.state.unreadable.is_empty() && self.flow.is_all_cut();
        let is_complete = all_read && self.flow.outstanding() == 0;
        FlowEnd { unacknowledged: self.flow.outstanding(), is_complete }
    }

    /// Saves before anything else is done: that the flow began, and which files it follows.
    fn save_now(&mut self) {
        let changes = self.changes();
        self.saver.save_now(changes);
    }

    fn save(&mut self) {
        let changes = self.changes();
        self.saver.submit(changes);
        self.state.save_at = self.clock.now().plus(SAVE_PERIOD);
        let behind = self.flow.files().map(|file| {
            let size = self.state.opened.get(&file.id).map_or(0, |opened| opened.size);
            size.saturating_sub(file.ledger.acknowledged())
        });
        self.statistics.bytes_behind.set(behind.sum());
        self.statistics.files.set(self.flow.files().count() as u64);
    }

    /// What the flow wants saved since it was last asked.
    fn changes(&mut self) -> FlowSave {
        let (saved, forgotten) = self.flow.checkpoints();
        FlowSave { flow: self.config.id.clone(), saved, forgotten }
    }

    fn note(&mut self, result: &std::io::Result<()>) {
        let Err(error) = result else {
            self.statistics.consecutive_processing_errors.set(0);
            return;
        };
        self.statistics.processing_errors.add(1);
        self.statistics.consecutive_processing_errors.add(1);
        if self.may_report() {
            tracing::error!(flow = self.config.id, %error, "a pass over the files failed, trying again");
        }
    }

    /// Whether trouble was not reported lately.
    fn may_report(&mut self) -> bool {
        let now = self.clock.now();
        let may = self.state.reported_at.is_none_or(|last| now.since(last) >= REPORT_PERIOD);
        if may {
            self.state.reported_at = Some(now);
        }
        may
    }
}
