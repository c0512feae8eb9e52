//! One flow's thread: waits for one thing, hands it to the flow's machine, performs what it says. It decides nothing
//! but the order of its chores.
//!
//! A thread and not a task, because reading files blocks; the records leave through `kpl`'s tasks.
//!
//! Invariant: a descriptor is closed only when the machine gave its file up, or gave it back.

mod examination;
mod files;
mod handover;
mod links;
mod listing;
mod outcomes;
mod refused;
mod report;
mod rescan;
mod resting;
mod rounds;
mod unmatched;
mod unreadable;

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use crate::checkpoint_saver::CheckpointSaver;
use crate::checkpoint_store::FlowSave;
use crate::clock::Clock;
use crate::config::FlowConfig;
use crate::config::link_policy::UserId;
use crate::core::flow::Flow;
use crate::core::lag::Lag;
use crate::core::refusal::RefusalJudge;
use crate::core::rescan::Rescan;
use crate::dead_letter_file::DeadLetterFile;
use crate::descriptors::{Descriptors, Held};
use crate::discovery::Discovery;
use crate::fs::OpenFile;
use crate::inbox::{Attention, Inbox, Letters};
use crate::publisher::Publisher;
use crate::source_file::Listed;
use crate::statistics::FlowStatistics;
use crate::types::{FileId, Moment, Node};
use crate::watchdog::Progress;

use outcomes::Retry;
use refused::Unwritten;
use unmatched::UnmatchedReports;
use unreadable::Unreadable;

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
    pub(crate) descriptors: Arc<Descriptors>,
    pub(crate) dead_letters: DeadLetterFile,
    pub(crate) saver: Arc<CheckpointSaver>,
    pub(crate) statistics: Arc<FlowStatistics>,
    pub(crate) progress: Arc<Progress>,
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
    list_at: Moment,
    save_at: Moment,
    is_watched: bool,
    rescan: Rescan,
    /// The directories of the last listing.
    directories: Vec<PathBuf>,
    /// What the last listing showed that is not under way, if it is to be looked at by rescans.
    at_rest: Vec<Listed>,
    /// Links of the last listing lead to directories that nobody watched before it.
    is_led_elsewhere: bool,
    /// The last listing could not show everything.
    is_partial: bool,
    has_listed: bool,
    /// Who waits for the first listing.
    first_listing: Option<oneshot::Sender<()>>,
    awaits_room: bool,
    retries: VecDeque<Retry>,
    refusals_in_a_row: u32,
    refusals: RefusalJudge,
    unwritten: Unwritten,
    reported_at: Option<Moment>,
    unreadable: Unreadable,
    unmatched: UnmatchedReports,
    /// Whose the rotated files have to be that are behind links of users.
    owned: HashMap<PathBuf, UserId>,
    /// Files that all flows know this one to follow.
    counted: usize,
    /// How old what is not acknowledged is, for those who ask.
    lags: HashMap<FileId, Lag>,
    /// Why records were refused last, until some are stored again.
    refusal: Option<String>,
    /// What matches and is no regular file, as far as that was said.
    skipped: Vec<PathBuf>,
    /// Compressed files that cannot be read now, or are copies, with what they looked like when that was seen.
    passed_over: HashMap<Node, PassedOver>,
    /// Records leave without the ids that they should have, which was said.
    has_said_without_id: bool,
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
    _held: Held,
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
            if !wait.is_zero() {
                // Hundreds of flows wait at once.
                *self.flow.read_buffer() = Vec::new();
            }
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
            self.progress.begin(self.clock.now());
            let result = self.pass();
            self.progress.end();
            self.note(&result);
            let cannot_list = result.is_err() && !self.state.has_listed;
            if (self.once && (cannot_list || self.is_complete())) || self.state.has_failed {
                return self.stop();
            }
        }
    }

    /// When there is something to do without being told.
    fn next_chore(&self) -> Moment {
        let save_at = if self.flow.will_save() { self.state.save_at } else { Moment::NEVER };
        let regular = self.state.list_at.min(save_at).min(self.state.unwritten.due());
        if self.state.awaits_room {
            return regular;
        }
        match self.state.retries.front() {
            Some(retry) => regular.min(retry.due),
            None if self.is_blocked() => regular,
            None => regular.min(self.flow.next_look()),
        }
    }

    /// One round of chores; of each file that is due, one read. A chore that fails does not keep the others from being
    /// done; the first failure is answered.
    fn pass(&mut self) -> std::io::Result<()> {
        let mut result = Ok(());
        if self.clock.now() >= self.state.list_at {
            result = self.rescan();
            if let Some(waiting) = self.state.first_listing.take() {
                // Whoever waited may be gone.
                let _ = waiting.send(());
            }
            if result.is_err() {
                self.state.list_at = self.clock.now().plus(UNWATCHED_RESCAN);
            }
        }
        self.write_unwritten();
        self.republish();
        result = result.and(self.go_round());
        for file in self.flow.give_up_finished() {
            self.state.opened.remove(&file);
            self.state.lags.remove(&file);
        }
        self.give_back_surplus();
        if self.flow.take_save_urgency() {
            self.save_now();
        }
        if self.clock.now() >= self.state.save_at {
            self.save();
        }
        result
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
        self.statistics.bytes_behind.set(self.flow.bytes_behind());
        self.statistics.files.set(self.flow.file_count() as u64);
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
