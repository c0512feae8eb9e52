//! What a flow's thread is told by others: outcomes, a changed directory, room, a stop.
//!
//! Invariant: bounded. Outcomes are as many as records are outstanding; everything else is a flag, so that a storm of
//! notifications is one notification.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kpl::{OutcomeSink, UserRecordFailed, UserRecordResult};
use tokio::sync::oneshot;

use crate::status_report::FlowReport;
use crate::types::Node;

/// Questions that wait for their answer at most.
const QUESTIONS: usize = 16;

/// One flow's inbox.
#[derive(Debug, Default)]
pub struct Inbox {
    letters: Mutex<Letters>,
    bell: Condvar,
}

/// What has come in since the last look.
#[derive(Debug, Default)]
pub struct Letters {
    /// Tags of records that were stored.
    pub stored: Vec<u64>,
    /// Records that were not, with their tags.
    pub failed: Vec<(u64, UserRecordFailed)>,
    /// A directory that the flow watches has changed.
    pub directory_changed: bool,
    /// The producer has room again.
    pub has_room: bool,
    /// The flow is to stop.
    pub stop: bool,
    /// How the flow stands is to be told.
    pub questions: Vec<Question>,
    attention: Attention,
}

/// A question how the flow stands.
#[derive(Debug)]
pub struct Question {
    /// The one file that is meant; `None`: all.
    pub about: Option<Node>,
    /// Where the answer goes. Nothing comes when the flow ends meanwhile.
    pub reply: oneshot::Sender<FlowReport>,
}

/// What is worth waking up for, besides changes and room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Attention {
    /// An order to stop.
    #[default]
    Stop,
    /// An order to stop, and outcomes.
    StopAndOutcomes,
    /// Outcomes; the order to stop is being carried out.
    Outcomes,
}

impl Inbox {
    /// Tells that a directory has changed.
    pub fn directory_changed(&self) {
        self.lock().directory_changed = true;
        self.bell.notify_one();
    }

    /// Tells that there is room.
    pub fn has_room(&self) {
        self.lock().has_room = true;
        self.bell.notify_one();
    }

    /// Tells the flow to stop.
    pub fn stop(&self) {
        self.lock().stop = true;
        self.bell.notify_one();
    }

    /// Asks how the flow stands. `None` if too many are asking already.
    #[must_use]
    pub fn ask(&self, about: Option<Node>) -> Option<oneshot::Receiver<FlowReport>> {
        let mut letters = self.lock();
        if letters.questions.len() >= QUESTIONS {
            return None;
        }
        let (reply, answer) = oneshot::channel();
        letters.questions.push(Question { about, reply });
        self.bell.notify_one();
        Some(answer)
    }

    /// Whether the flow was told to stop.
    pub fn is_stopped(&self) -> bool {
        self.lock().stop
    }

    /// Waits until something has come in or `longest` is over, and takes it into `letters`, whose buffers are used
    /// again.
    pub fn wait(&self, longest: Option<Duration>, attention: Attention, letters: &mut Letters) {
        letters.stored.clear();
        letters.failed.clear();
        letters.questions.clear();
        let mut inside = self.lock();
        inside.attention = attention;
        if !inside.is_worth_waking() {
            inside = match longest {
                None => self.bell.wait(inside).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => inside,
                Some(longest) => {
                    self.bell.wait_timeout(inside, longest).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        std::mem::swap(&mut inside.stored, &mut letters.stored);
        std::mem::swap(&mut inside.failed, &mut letters.failed);
        std::mem::swap(&mut inside.questions, &mut letters.questions);
        letters.directory_changed = std::mem::take(&mut inside.directory_changed);
        letters.has_room = std::mem::take(&mut inside.has_room);
        letters.stop = inside.stop;
    }

    fn lock(&self) -> MutexGuard<'_, Letters> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Letters {
    fn is_worth_waking(&self) -> bool {
        let outcomes =
            self.attention != Attention::Stop && !(self.stored.is_empty() && self.failed.is_empty());
        let stop = self.attention != Attention::Outcomes && self.stop;
        outcomes || stop || !self.questions.is_empty() || self.directory_changed || self.has_room
    }
}

/// The end of a flow's inbox that its producer holds.
#[derive(Debug)]
pub struct Outcomes(pub std::sync::Arc<Inbox>);

impl OutcomeSink for Outcomes {
    fn stored(&self, tags: &mut dyn Iterator<Item = u64>, _result: &UserRecordResult) {
        let mut letters = self.0.lock();
        letters.stored.extend(tags);
        if letters.attention != Attention::Stop {
            self.0.bell.notify_one();
        }
    }

    fn failed(&self, tag: u64, failed: UserRecordFailed) {
        self.0.lock().failed.push((tag, failed));
        self.0.bell.notify_one();
    }
}
