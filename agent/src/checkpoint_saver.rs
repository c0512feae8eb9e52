//! The thread that writes checkpoints: what all flows submit, in at most one transaction a second.
//!
//! Invariant: what was submitted is saved, or still held and tried again; of two submissions for a file the later one
//! wins.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::checkpoint::FileCheckpoint;
use crate::checkpoint_store::{CheckpointStore, FlowSave, StoreError};
use crate::types::FileId;

/// Between two transactions.
const PERIOD: Duration = Duration::from_secs(1);

/// Takes checkpoints from all flows.
#[derive(Debug)]
pub struct CheckpointSaver {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    store: Mutex<CheckpointStore>,
    pending: Mutex<Pending>,
    bell: Condvar,
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
    pub fn start(store: CheckpointStore) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            store: Mutex::new(store),
            pending: Mutex::new(Pending::default()),
            bell: Condvar::new(),
        });
        let inside = Arc::clone(&shared);
        let thread =
            std::thread::Builder::new().name("checkpoints".to_owned()).spawn(move || inside.run())?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// What a flow's last run left; see [`CheckpointStore::load`].
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn load(&self, flow: &str) -> Result<(Vec<FileCheckpoint>, bool), StoreError> {
        lock(&self.shared.store).load(flow)
    }

    /// Takes what a flow wants saved.
    pub fn submit(&self, save: FlowSave) {
        if save.saved.is_empty() && save.forgotten.is_empty() {
            return;
        }
        lock(&self.shared.pending).add(save, true);
        self.shared.bell.notify_one();
    }

    /// Saves this and everything submitted, now.
    ///
    /// # Errors
    ///
    /// It could not be saved; it is held and tried again.
    pub fn save_now(&self, save: FlowSave) -> Result<(), StoreError> {
        lock(&self.shared.pending).add(save, true);
        self.shared.save_pending()
    }

    /// Saves everything submitted and ends the thread.
    ///
    /// # Errors
    ///
    /// The last save failed.
    pub fn stop(&self) -> Result<(), StoreError> {
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
        let mut was_failing = false;
        loop {
            let mut pending = lock(&self.pending);
            while pending.flows.is_empty() && !pending.stop {
                pending = self.bell.wait(pending).unwrap_or_else(PoisonError::into_inner);
            }
            if pending.stop {
                return;
            }
            drop(pending);
            match self.save_pending() {
                Err(error) if !was_failing => {
                    tracing::error!(%error, "checkpoints cannot be saved; shipping goes on, and so do the attempts");
                    was_failing = true;
                }
                Ok(()) if was_failing => {
                    tracing::info!("checkpoints are saved again");
                    was_failing = false;
                }
                _ => {}
            }
            let pending = lock(&self.pending);
            let stopped = |pending: &mut Pending| !pending.stop;
            drop(
                self.bell
                    .wait_timeout_while(pending, PERIOD, stopped)
                    .unwrap_or_else(PoisonError::into_inner),
            );
        }
    }

    fn save_pending(&self) -> Result<(), StoreError> {
        // The store is locked first, so that a later submission cannot be saved before an earlier one.
        let mut store = lock(&self.store);
        let saves: Vec<_> =
            std::mem::take(&mut lock(&self.pending).flows).into_iter().map(flow_save).collect();
        if saves.is_empty() {
            return Ok(());
        }
        let result = store.save(&saves);
        if result.is_err() {
            let mut pending = lock(&self.pending);
            saves.into_iter().for_each(|save| pending.add(save, false));
        }
        result
    }
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
    let mut save = FlowSave { flow, saved: Vec::new(), forgotten: Vec::new() };
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
