//! The thread that writes checkpoints: what all flows submit, in at most one transaction a second.
//!
//! Invariant: what was submitted is saved, or still held and tried again; of two submissions for a file the later one
//! wins. A database that breaks or goes while it is in use is made anew, with everything that was in it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::checkpoint::FileCheckpoint;
use crate::checkpoint_recovery::{self, OpenedStore, RecoveryError};
use crate::checkpoint_store::{CheckpointStore, FlowSave, StoreError};
use crate::clock::Clock;
use crate::fs::state::{self, Lock};
use crate::types::{FileId, Node};

/// Between two transactions.
const PERIOD: Duration = Duration::from_secs(1);

/// Takes checkpoints from all flows.
#[derive(Debug)]
pub struct CheckpointSaver {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    is_lost: bool,
}

#[derive(Debug)]
struct Shared {
    store: Mutex<KeptStore>,
    pending: Mutex<Pending>,
    bell: Condvar,
    /// Why the last save failed, if it did.
    trouble: Mutex<Option<String>>,
}

/// The store, and how to see that its file is still the one that was opened.
#[derive(Debug)]
struct KeptStore {
    store: CheckpointStore,
    node: Option<Node>,
    clock: Clock,
    _lock: Lock,
}

#[derive(Debug, Default)]
struct Pending {
    flows: HashMap<String, BTreeMap<FileId, Change>>,
    stop: bool,
}

#[derive(Debug)]
enum Change {
    Save(FileCheckpoint),
    Forget,
}

impl CheckpointSaver {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// The operating system refuses a thread.
    pub fn start(opened: OpenedStore, clock: Clock) -> std::io::Result<Self> {
        let OpenedStore { store, lock, is_lost } = opened;
        let shared = Arc::new(Shared {
            store: Mutex::new(KeptStore { node: node(&store), store, clock, _lock: lock }),
            pending: Mutex::new(Pending::default()),
            bell: Condvar::new(),
            trouble: Mutex::new(None),
        });
        let inside = Arc::clone(&shared);
        let thread =
            std::thread::Builder::new().name("checkpoints".to_owned()).spawn(move || inside.run())?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)), is_lost })
    }

    /// Whether checkpoints of earlier runs were lost.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// What a flow's last run left; see [`CheckpointStore::load`].
    #[must_use]
    pub fn load(&self, flow: &str) -> (Vec<FileCheckpoint>, bool) {
        lock(&self.shared.store).store.load(flow)
    }

    /// What was saved of the file at this place, by flow.
    #[must_use]
    pub fn saved_of(&self, node: Node) -> Vec<(String, FileCheckpoint)> {
        let kept = lock(&self.shared.store);
        let of_flow = |(flow, files): (&String, &BTreeMap<FileId, FileCheckpoint>)| {
            let found = files.values().rfind(|checkpoint| checkpoint.node.is_same(&node))?;
            Some((flow.clone(), found.clone()))
        };
        kept.store.image().iter().filter_map(of_flow).collect()
    }

    /// Why checkpoints are not being saved, if they are not.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        lock(&self.shared.trouble).clone()
    }

    /// Takes what a flow wants saved.
    pub fn submit(&self, save: FlowSave) {
        if save.saved.is_empty() && save.forgotten.is_empty() {
            return;
        }
        lock(&self.shared.pending).add(save, true);
        self.shared.bell.notify_one();
    }

    /// Saves this and everything submitted, now; what cannot be saved is held and tried again.
    pub fn save_now(&self, save: FlowSave) {
        lock(&self.shared.pending).add(save, true);
        if self.shared.save_pending().is_err() {
            self.shared.bell.notify_one();
        }
    }

    /// Saves everything submitted and ends the thread.
    ///
    /// # Errors
    ///
    /// The last save failed.
    pub fn stop(&self) -> Result<(), RecoveryError> {
        lock(&self.shared.pending).stop = true;
        self.shared.bell.notify_one();
        if let Some(thread) = lock(&self.thread).take() {
            // A panic of that thread was reported by itself; what it left is saved below.
            let _ = thread.join();
        }
        self.shared.save_pending()
    }
}

impl Shared {
    fn run(&self) {
        loop {
            let mut pending = lock(&self.pending);
            while pending.flows.is_empty() && !pending.stop {
                pending = self.bell.wait(pending).unwrap_or_else(PoisonError::into_inner);
            }
            if pending.stop {
                return;
            }
            drop(pending);
            // A failure is told and held by that; the next round tries again.
            let _ = self.save_pending();
            let pending = lock(&self.pending);
            let stopped = |pending: &mut Pending| !pending.stop;
            drop(
                self.bell
                    .wait_timeout_while(pending, PERIOD, stopped)
                    .unwrap_or_else(PoisonError::into_inner),
            );
        }
    }

    fn save_pending(&self) -> Result<(), RecoveryError> {
        // The store is locked first, so that a later submission cannot be saved before an earlier one.
        let mut store = lock(&self.store);
        let saves: Vec<_> =
            std::mem::take(&mut lock(&self.pending).flows).into_iter().map(flow_save).collect();
        if saves.is_empty() {
            return Ok(());
        }
        let result = store.save(&saves);
        self.tell(result.as_ref().err().map(ToString::to_string));
        if result.is_err() {
            let mut pending = lock(&self.pending);
            saves.into_iter().for_each(|save| pending.add(save, false));
        }
        result
    }

    /// Says when saving begins to fail and when it works again, whoever it was that saved.
    fn tell(&self, trouble: Option<String>) {
        let before = std::mem::replace(&mut *lock(&self.trouble), trouble.clone());
        match (before, trouble) {
            (None, Some(error)) => {
                tracing::error!(
                    error,
                    "checkpoints cannot be saved; shipping goes on, and so do the attempts"
                );
            }
            (Some(_), None) => tracing::info!("checkpoints are saved again"),
            _ => {}
        }
    }
}

impl KeptStore {
    /// Saves; if the file broke or is not there any more, into a new one with everything that was in the old.
    fn save(&mut self, saves: &[FlowSave]) -> Result<(), RecoveryError> {
        let broken = if self.is_in_place() {
            match self.store.save(saves) {
                Err(error) if error.is_damage() => error,
                result => return result.map_err(RecoveryError::from),
            }
        } else {
            let reason = "it was deleted or replaced while it was in use".to_owned();
            StoreError::Damaged { path: self.store.path().to_owned(), reason }
        };
        let wall_time_ms = self.clock.wall_time_ms();
        let path = self.store.path().to_owned();
        self.store = checkpoint_recovery::recreate(&path, self.store.image(), &broken, wall_time_ms)?;
        self.node = node(&self.store);
        self.store.save(saves).map_err(RecoveryError::from)
    }

    /// Whether the path still leads to the file that is open. In doubt it does.
    fn is_in_place(&self) -> bool {
        match state::node_and_size(self.store.path()) {
            Ok(found) => self.node.is_none() || found.map(|(node, _)| node) == self.node,
            Err(_) => true,
        }
    }
}

fn node(store: &CheckpointStore) -> Option<Node> {
    Some(state::node_and_size(store.path()).ok()??.0)
}

impl Pending {
    /// `newer`: wins over what is held already.
    fn add(&mut self, save: FlowSave, newer: bool) {
        let files = self.flows.entry(save.flow).or_default();
        let saved = save.saved.into_iter().map(|checkpoint| (checkpoint.file, Change::Save(checkpoint)));
        let forgotten = save.forgotten.into_iter().map(|file| (file, Change::Forget));
        for (file, change) in saved.chain(forgotten) {
            if newer {
                files.insert(file, change);
            } else {
                files.entry(file).or_insert(change);
            }
        }
    }
}

fn flow_save((flow, changes): (String, BTreeMap<FileId, Change>)) -> FlowSave {
    let mut save = FlowSave { flow, ..FlowSave::default() };
    for (file, change) in changes {
        match change {
            Change::Save(checkpoint) => save.saved.push(checkpoint),
            Change::Forget => save.forgotten.push(file),
        }
    }
    save
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
