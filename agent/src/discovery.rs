//! Changed directories, told by the kernel.
//!
//! Only creations, deletions and renames are asked for: a watch on writes would cost the application that writes the
//! log several times what the agent costs. Where notification is refused the flow's own rescan finds the files.
//!
//! Watches are set by a thread of their own. That one may have to wait: for `notify`, which takes no request while a storm
//! of changes keeps it busy, or for a file system that hangs. A flow waits for it a moment only, and lists often meanwhile.
//!
//! Invariant: a lost notification costs time, never a file: every overflow and error is a change of every directory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use notify::{Config, Event, EventKindMask, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::fs::directory_mark;
use crate::fs::shared::shared_file_system;
use crate::inbox::Inbox;
use crate::types::Node;

/// Requests that wait for the thread. What finds no room is asked for again with the next listing.
const MAX_REQUESTS: usize = 1024;

/// How long a flow waits for its watch. Setting one takes microseconds.
const WATCH_PATIENCE: Duration = Duration::from_millis(200);

/// Watches directories for all flows, with one kernel queue.
#[derive(Debug)]
pub struct Discovery {
    requests: Option<SyncSender<Request>>,
    watched: Arc<Watched>,
}

/// A directory to be watched.
#[derive(Debug)]
struct Request {
    directory: PathBuf,
    node: Node,
    inbox: Arc<Inbox>,
    /// Hears when it is done, well or not.
    done: SyncSender<()>,
}

#[derive(Debug, Default)]
struct Watched {
    directories: Mutex<HashMap<PathBuf, Watch>>,
    /// The thread did not answer in time, and has not been done with its requests since.
    is_behind: AtomicBool,
}

/// Who watches a directory.
#[derive(Debug)]
struct Watch {
    /// Which directory had the name.
    node: Node,
    inboxes: Vec<Arc<Inbox>>,
}

impl Discovery {
    /// Starts; when the kernel refuses a queue, every flow is left to its rescans.
    #[must_use]
    pub fn start() -> Self {
        let watched = Arc::new(Watched::default());
        let requests = match Watched::start(&watched) {
            Ok(requests) => Some(requests),
            Err(error) => {
                tracing::warn!(error, "directories cannot be watched, new files are found by rescans only");
                None
            }
        };
        Self { requests, watched }
    }

    /// Tells `inbox` of changes in `directory` from now on. Answers whether it is watched; if not (it does not exist
    /// yet, a limit is reached, the thread is busy, or its file system is shared with others, of whose changes the kernel does
    /// not know), list it often and ask again.
    ///
    /// To be called before each listing: by now another directory may have the name, which then is watched instead.
    pub fn watch(&self, directory: &Path, inbox: &Arc<Inbox>) -> bool {
        let (Some(requests), Some(mark)) = (&self.requests, directory_mark(directory)) else { return false };
        if !self.watched.is_watched(directory, mark.node, inbox) {
            let (done, is_done) = sync_channel(1);
            let (directory, inbox) = (directory.to_owned(), Arc::clone(inbox));
            let request = Request { directory, node: mark.node, inbox, done };
            if requests.try_send(request).is_err() || self.watched.is_behind.load(Relaxed) {
                return false;
            }
            if is_done.recv_timeout(WATCH_PATIENCE).is_err() {
                self.watched.is_behind.store(true, Relaxed);
            }
        }
        self.watched.is_watched(directory, mark.node, inbox) && shared_file_system(directory).is_none()
    }
}

impl Watched {
    fn start(watched: &Arc<Self>) -> Result<SyncSender<Request>, String> {
        let told = Arc::clone(watched);
        let mask = EventKindMask::CREATE | EventKindMask::REMOVE | EventKindMask::MODIFY_NAME;
        let config = Config::default().with_event_kinds(mask);
        let watcher = RecommendedWatcher::new(move |event| told.tell(&event), config);
        let watcher = watcher.map_err(|error| error.to_string())?;
        let (requests, received) = sync_channel(MAX_REQUESTS);
        let served = Arc::clone(watched);
        let thread = std::thread::Builder::new().name("discovery".to_owned());
        thread.spawn(move || served.serve(watcher, &received)).map_err(|error| error.to_string())?;
        Ok(requests)
    }

    /// Sets watches until nobody asks for any more.
    fn serve(&self, mut watcher: RecommendedWatcher, requests: &Receiver<Request>) {
        while let Ok(first) = requests.recv() {
            self.set(&mut watcher, first);
            while let Ok(next) = requests.try_recv() {
                self.set(&mut watcher, next);
            }
            self.is_behind.store(false, Relaxed);
        }
    }

    fn set(&self, watcher: &mut RecommendedWatcher, request: Request) {
        let Request { directory, node, inbox, done } = request;
        if self.lock().get(&directory).is_some_and(|watch| watch.node != node) {
            // Of a directory that had this name before; it may be gone already.
            let _ = watcher.unwatch(&directory);
        }
        if watcher.watch(&directory, RecursiveMode::NonRecursive).is_ok() {
            self.lock().entry(directory).or_insert_with(|| Watch::of(node)).add(node, &inbox);
            if self.is_behind.load(Relaxed) {
                // Whoever asked did not wait, and what has changed since was not told.
                inbox.directory_changed();
            }
        }
        // Whoever asked may have given up.
        let _ = done.try_send(());
    }

    fn is_watched(&self, directory: &Path, node: Node, inbox: &Arc<Inbox>) -> bool {
        let directories = self.lock();
        let watch = directories.get(directory).filter(|watch| watch.node == node);
        watch.is_some_and(|watch| watch.inboxes.iter().any(|known| Arc::ptr_eq(known, inbox)))
    }

    fn tell(&self, event: &notify::Result<Event>) {
        let mut directories = self.lock();
        match event {
            Ok(event) if !event.need_rescan() => {
                // The watched directory itself, too: it may have been moved away, and another one made in its place.
                for directory in event.paths.iter().flat_map(|path| path.ancestors().take(2)) {
                    let Some(watch) = directories.get(directory) else { continue };
                    watch.inboxes.iter().for_each(|inbox| inbox.directory_changed());
                }
                for gone in event.paths.iter().filter(|_| event.kind.is_remove()) {
                    directories.remove(gone);
                }
            }
            _ => directories
                .values()
                .flat_map(|watch| &watch.inboxes)
                .for_each(|inbox| inbox.directory_changed()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Watch>> {
        self.directories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    fn of(node: Node) -> Self {
        Self { node, inboxes: Vec::new() }
    }

    fn add(&mut self, node: Node, inbox: &Arc<Inbox>) {
        self.node = node;
        if !self.inboxes.iter().any(|known| Arc::ptr_eq(known, inbox)) {
            self.inboxes.push(Arc::clone(inbox));
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "plays the world around the agent")]
mod tests {
    use super::*;
    use crate::inbox::{Attention, Letters};

    const LONG: Duration = Duration::from_secs(60);

    fn hears(inbox: &Inbox) -> bool {
        let mut letters = Letters::default();
        inbox.wait(Some(LONG), Attention::Stop, &mut letters);
        letters.directory_changed
    }

    #[test]
    fn a_change_is_told_to_those_who_watch_its_directory() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let [one, two] = ["one", "two"].map(|name| scratch.path().join(name));
        let (discovery, inbox) = (Discovery::start(), Arc::new(Inbox::default()));
        assert!(!discovery.watch(&one, &inbox), "it is not there");
        std::fs::create_dir_all(&one).expect("makes");
        assert!(discovery.watch(&one, &inbox));
        let file = one.join("file");
        std::fs::write(&file, "").expect("writes");
        assert!(hears(&inbox), "a creation");
        std::fs::rename(&file, one.join("renamed")).expect("renames");
        assert!(hears(&inbox), "a rename");
        std::fs::remove_file(one.join("renamed")).expect("removes");
        assert!(hears(&inbox), "a deletion");
        std::fs::rename(&one, &two).expect("renames");
        assert!(hears(&inbox), "the directory itself");
        std::fs::create_dir_all(&one).expect("makes");
        assert!(discovery.watch(&one, &inbox));
        std::fs::write(&file, "").expect("writes");
        assert!(hears(&inbox), "another directory of the same name");
        std::fs::remove_dir_all(&one).expect("removes");
        assert!(hears(&inbox), "it is gone");
    }
}
