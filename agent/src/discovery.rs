//! Changed directories, told by the kernel.
//!
//! Only creations, deletions and renames are asked for: a watch on writes would cost the application that writes the
//! log several times what the agent costs. Where notification is refused the flow's own rescan finds the files.
//!
//! Invariant: a lost notification costs time, never a file: every overflow and error is a change of every directory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use notify::{Config, Event, EventKindMask, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::fs::shared::shared_file_system;
use crate::inbox::Inbox;

/// Watches directories for all flows, with one kernel queue.
#[derive(Debug)]
pub struct Discovery {
    watcher: Mutex<Option<RecommendedWatcher>>,
    watched: Arc<Watched>,
}

#[derive(Debug, Default)]
struct Watched(Mutex<HashMap<PathBuf, Vec<Arc<Inbox>>>>);

impl Discovery {
    /// Starts; when the kernel refuses a queue, every flow is left to its rescans.
    #[must_use]
    pub fn start() -> Self {
        let watched = Arc::new(Watched::default());
        let told = Arc::clone(&watched);
        let mask = EventKindMask::CREATE | EventKindMask::REMOVE | EventKindMask::MODIFY_NAME;
        let config = Config::default().with_event_kinds(mask);
        let watcher = RecommendedWatcher::new(move |event| told.tell(&event), config);
        if let Err(error) = &watcher {
            tracing::warn!(%error, "directories cannot be watched, new files are found by rescans only");
        }
        Self { watcher: Mutex::new(watcher.ok()), watched }
    }

    /// Tells `inbox` of changes in `directory` from now on. Answers whether it is watched; if not (it does not exist
    /// yet, a limit is reached, or its file system is shared with others, of whose changes the kernel does not know), list it
    /// often and ask again.
    ///
    /// To be called before each listing: by now another directory may have the name, which then is watched instead.
    pub fn watch(&self, directory: &Path, inbox: &Arc<Inbox>) -> bool {
        let mut watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(watcher) = watcher.as_mut() else { return false };
        let is_watched = watcher.watch(directory, RecursiveMode::NonRecursive).is_ok();
        if is_watched {
            let mut watched = self.watched.0.lock().unwrap_or_else(PoisonError::into_inner);
            let inboxes = watched.entry(directory.to_owned()).or_default();
            if !inboxes.iter().any(|known| Arc::ptr_eq(known, inbox)) {
                inboxes.push(Arc::clone(inbox));
            }
        }
        is_watched && shared_file_system(directory).is_none()
    }
}

impl Watched {
    fn tell(&self, event: &notify::Result<Event>) {
        let watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Ok(event) if !event.need_rescan() => {
                // The watched directory itself, too: it may have been moved away, and another one made in its place.
                let directories = event.paths.iter().flat_map(|path| path.ancestors().take(2));
                for inboxes in directories.filter_map(|directory| watched.get(directory)) {
                    inboxes.iter().for_each(|inbox| inbox.directory_changed());
                }
            }
            _ => watched.values().flatten().for_each(|inbox| inbox.directory_changed()),
        }
    }
}
