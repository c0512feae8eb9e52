//! Changed directories, told by the kernel.
//!
//! Only creations, deletions and renames are asked for: a watch on writes would cost the application that writes the
//! log several times what the agent costs. Where notification is refused the flow's own rescan finds the files.
//!
//! A flow asks the kernel for its watches itself, and the thread that hears of changes asks for nothing: neither a storm of
//! changes in one directory nor a file system that hangs keeps other flows from theirs.
//!
//! Invariant: a lost notification costs time, never a file: every overflow is a change of every directory, and when nobody
//! hears of changes any more no directory counts as watched.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};

use crate::fs::shared::shared_file_system;
use crate::inbox::Inbox;

/// What is asked for. What happens to the directory itself, too: it may be moved away, and another one made in its place.
const CHANGES: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// Events that are taken at once, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

/// Between two readings of events: a storm of them is a few notifications.
const PAUSE: Duration = Duration::from_millis(1);

/// Watches directories for all flows, with one kernel queue.
#[derive(Debug)]
pub struct Discovery {
    watched: Option<Arc<Watched>>,
}

#[derive(Debug)]
struct Watched {
    queue: OwnedFd,
    state: Mutex<State>,
}

/// Who watches what. The kernel's numbers are of directories, whatever names they have.
#[derive(Debug, Default)]
struct State {
    numbers: HashMap<PathBuf, i32>,
    watches: HashMap<i32, Watch>,
    is_over: bool,
}

#[derive(Debug, Default)]
struct Watch {
    paths: BTreeSet<PathBuf>,
    inboxes: Vec<Arc<Inbox>>,
}

impl Discovery {
    /// Starts; when the kernel refuses a queue, every flow is left to its rescans.
    #[must_use]
    pub fn start() -> Self {
        match Watched::start() {
            Ok(watched) => Self { watched: Some(watched) },
            Err(error) => {
                tracing::warn!(%error, "directories cannot be watched, new files are found by rescans only");
                Self { watched: None }
            }
        }
    }

    /// Tells `inbox` of changes in `directory` from now on. Answers whether it is watched; if not (it does not exist
    /// yet, a limit is reached, or its file system is shared with others, of whose changes the kernel does not know), list it
    /// often and ask again.
    ///
    /// To be called before each listing: by now another directory may have the name, which then is watched instead.
    pub fn watch(&self, directory: &Path, inbox: &Arc<Inbox>) -> bool {
        let Some(watched) = &self.watched else { return false };
        watched.watch(directory, inbox) && shared_file_system(directory).is_none()
    }
}

impl Drop for Discovery {
    fn drop(&mut self) {
        if let Some(watched) = &self.watched {
            watched.lock().is_over = true;
            // The end of a watch is an event, which wakes the thread. Where there is none it waits for the process's end.
            let is_woken =
                inotify::add_watch(&watched.queue, "/", WatchFlags::ONLYDIR | WatchFlags::DELETE_SELF);
            if let Ok(number) = is_woken {
                let _ = inotify::remove_watch(&watched.queue, number);
            }
        }
    }
}

impl Watched {
    fn start() -> io::Result<Arc<Self>> {
        let queue = inotify::init(CreateFlags::CLOEXEC)?;
        let watched = Arc::new(Self { queue, state: Mutex::default() });
        let heard = Arc::clone(&watched);
        std::thread::Builder::new().name("discovery".to_owned()).spawn(move || heard.run())?;
        Ok(watched)
    }

    fn watch(&self, directory: &Path, inbox: &Arc<Inbox>) -> bool {
        // Not under the lock: the file system may hang.
        let Ok(number) = inotify::add_watch(&self.queue, directory, CHANGES) else { return false };
        let mut state = self.lock();
        if let Some(left) = state.add(directory, number, inbox) {
            // It may be gone already.
            let _ = inotify::remove_watch(&self.queue, left);
        }
        !state.is_over
    }

    fn run(&self) {
        let mut buffer = vec![MaybeUninit::uninit(); BUFFER_BYTES];
        let mut reader = Reader::new(&self.queue, &mut buffer);
        let mut changed = BTreeSet::new();
        while !self.lock().is_over {
            match reader.next() {
                Ok(event) if event.events().contains(ReadFlags::QUEUE_OVERFLOW) => {
                    changed.extend(self.lock().watches.keys());
                }
                Ok(event) => {
                    changed.insert(event.wd());
                    if event.events().contains(ReadFlags::IGNORED) {
                        self.tell(&std::mem::take(&mut changed));
                        self.lock().forget(event.wd());
                    }
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => {
                    tracing::error!(%error, "changes of directories are not told any more, new files are found by rescans only");
                    self.lock().is_over = true;
                }
            }
            if reader.is_buffer_empty() {
                self.tell(&std::mem::take(&mut changed));
                std::thread::sleep(PAUSE);
            }
        }
    }

    fn tell(&self, changed: &BTreeSet<i32>) {
        let state = self.lock();
        let watches = changed.iter().filter_map(|number| state.watches.get(number));
        watches.flat_map(|watch| &watch.inboxes).for_each(|inbox| inbox.directory_changed());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Notes a watch. Answers one that no name leads to any more.
    fn add(&mut self, directory: &Path, number: i32, inbox: &Arc<Inbox>) -> Option<i32> {
        let before = self.numbers.insert(directory.to_owned(), number).filter(|before| *before != number);
        let watch = self.watches.entry(number).or_default();
        watch.paths.insert(directory.to_owned());
        if !watch.inboxes.iter().any(|known| Arc::ptr_eq(known, inbox)) {
            watch.inboxes.push(Arc::clone(inbox));
        }
        let left = self.watches.get_mut(&before?)?;
        left.paths.remove(directory);
        if !left.paths.is_empty() {
            return None;
        }
        self.watches.remove(&before?);
        before
    }

    /// The kernel has ended a watch: its directory is gone.
    fn forget(&mut self, number: i32) {
        for path in self.watches.remove(&number).unwrap_or_default().paths {
            self.numbers.remove(&path);
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
