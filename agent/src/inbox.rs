//! What a flow's thread is told by others: outcomes, a changed directory, room, a stop.
//!
//! Invariant: bounded. Outcomes are as many as records are outstanding; everything else is a flag, so that a storm of
//! notifications is one notification.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kpl::{OutcomeSink, UserRecordFailed, UserRecordResult};
use tokio::sync::oneshot;

use crate::status_report::FlowReport;
use crate::types::Node;

/// Questions that wait for their answer at most.
const QUESTIONS: usize = 16;

/// Outcomes for which a producer's end keeps room: those of a call without aggregation, twice.
const GATHERED: usize = 1024;

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

/// The end of a flow's inbox that its producer holds. Records that were stored are gathered in it and put into the inbox
/// together, so that the flow's thread is not kept from it, or woken up, for each.
#[derive(Debug)]
pub struct Outcomes {
    inbox: Arc<Inbox>,
    stored: Mutex<Vec<u64>>,
}

impl Outcomes {
    /// The producer's end of this inbox.
    #[must_use]
    pub fn new(inbox: Arc<Inbox>) -> Self {
        Self { inbox, stored: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u64>> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts what was gathered into the inbox.
    fn pass_on(&self) -> MutexGuard<'_, Letters> {
        let mut stored = self.lock();
        let mut letters = self.inbox.lock();
        if letters.stored.is_empty() {
            std::mem::swap(&mut letters.stored, &mut stored);
        } else {
            letters.stored.append(&mut stored);
        }
        stored.shrink_to(GATHERED);
        letters
    }
}

impl OutcomeSink for Outcomes {
    fn stored(&self, tags: &mut dyn Iterator<Item = u64>, _result: &UserRecordResult) {
        self.lock().extend(tags);
    }

    fn failed(&self, tag: u64, failed: UserRecordFailed) {
        // What was stored before it comes before it.
        let mut letters = self.pass_on();
        letters.failed.push((tag, failed));
        self.inbox.bell.notify_one();
    }

    fn told(&self) {
        let letters = self.pass_on();
        if letters.attention != Attention::Stop {
            self.inbox.bell.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_is_handed_over_when_it_is_told() {
        let inbox = Arc::new(Inbox::default());
        let outcomes = Outcomes::new(Arc::clone(&inbox));
        let hear = |letters: &mut Letters| inbox.wait(Some(Duration::ZERO), Attention::Stop, letters);
        let mut letters = Letters::default();
        outcomes.lock().extend([1, 2]);
        hear(&mut letters);
        assert!(letters.stored.is_empty(), "more may follow");
        outcomes.told();
        outcomes.lock().push(3);
        outcomes.told();
        hear(&mut letters);
        assert_eq!(letters.stored, [1, 2, 3]);
        outcomes.told();
        hear(&mut letters);
        assert!(letters.stored.is_empty());
    }
}
