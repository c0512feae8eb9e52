//! Opening the checkpoint file whatever has become of it.
//!
//! | what is there | what is done |
//! |---|---|
//! | nothing, or an empty file before anything was ever saved | a new database: the first start |
//! | a good database | used |
//! | a good database that another agent uses | refused |
//! | another program's database, or no database where no agent had been | refused |
//! | anything else: no database any more, a damaged one, one of a newer agent, an empty file where one had been | set aside |
//!
//! What was set aside is not deleted. The rows that can still be read go into the new database, in the transaction that
//! makes it; files without a row are read from their beginning, also those of flows that would begin at the end.
//!
//! Invariant: whatever happens between two steps, the next start ends with the same result: a database that is missing
//! beside one that was set aside counts as lost, not as a first start.

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use crate::checkpoint_store::{CheckpointStore, Image, StoreError, salvage};
use crate::fs::state::{self, Lock};

/// The store, and what holds it.
#[derive(Debug)]
pub struct OpenedStore {
    /// The store.
    pub store: CheckpointStore,
    /// Keeps other agents away from it.
    pub lock: Lock,
    /// Checkpoints were lost: files without one may have been shipped before.
    pub is_lost: bool,
}

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecoveryError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file beside it.
    #[error(
        "{path} beside the checkpoint file: {source}; set checkpointFile to a place that the agent may write to"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Opens the checkpoint file for these flows, or makes it.
///
/// # Errors
///
/// It is in use, or another program's, or its directory cannot be written to.
pub fn open(path: &Path, flows: &[String], wall_time_ms: u64) -> Result<OpenedStore, RecoveryError> {
    let lock_path = state::with_suffix(path, ".lock");
    let lock = Lock::take(&lock_path).map_err(|source| file_error(&lock_path, source))?;
    let mut lock = lock.ok_or_else(|| StoreError::InUse { path: path.to_owned() })?;
    let found = state::node_and_size(path).map_err(|source| file_error(path, source))?;
    let (store, is_lost) = match found {
        None => restore(path, flows, false)?,
        // SQLite makes an empty file first. Once there was more in it, somebody or something has emptied it.
        Some((_, 0)) => restore(path, flows, lock.is_marked())?,
        Some(_) => match CheckpointStore::open(path, lock.is_marked()) {
            Ok(store) => (store, false),
            // Somebody's file, whose name got into the configuration.
            Err(error @ StoreError::NoDatabase { .. }) if !lock.is_marked() => return Err(error.into()),
            Err(error) if error.is_damage() => {
                set_aside(path, &error, wall_time_ms)?;
                restore(path, flows, true)?
            }
            Err(error) => return Err(error.into()),
        },
    };
    lock.mark().map_err(|source| file_error(&lock_path, source))?;
    Ok(OpenedStore { store, lock, is_lost })
}

/// Makes the database anew from what its holder knows to be in it: it broke, or went, while it was in use.
///
/// # Errors
///
/// It cannot be made; trying again later does no harm.
pub fn recreate(
    path: &Path,
    content: &Image,
    why: &StoreError,
    wall_time_ms: u64,
) -> Result<CheckpointStore, RecoveryError> {
    set_aside(path, why, wall_time_ms)?;
    let store = CheckpointStore::make(path, content)?;
    tracing::warn!(path = %path.display(), "the checkpoint file was written anew; nothing will be sent twice");
    Ok(store)
}

fn set_aside(path: &Path, why: &StoreError, wall_time_ms: u64) -> Result<(), RecoveryError> {
    let aside = state::set_aside(path, wall_time_ms).map_err(|source| file_error(path, source))?;
    tracing::error!("{why}; it is set aside as {}", aside.display());
    Ok(())
}

/// Makes a database, from what was set aside if anything was.
fn restore(path: &Path, flows: &[String], is_lost: bool) -> Result<(CheckpointStore, bool), RecoveryError> {
    let asides = state::set_asides(path).map_err(|source| file_error(path, source))?;
    if asides.is_empty() && !is_lost {
        return Ok((CheckpointStore::open(path, false)?, false));
    }
    // An older one is better than none: what it knows is compared with the files before it is believed.
    let salvaged = asides.iter().map(|aside| salvage(aside)).find(|content| !content.is_empty());
    let mut content = salvaged.unwrap_or_default();
    let found: usize = content.values().map(std::collections::BTreeMap::len).sum();
    for flow in flows {
        // Of a flow that is known no file is skipped.
        content.entry(flow.clone()).or_default();
    }
    let store = CheckpointStore::make(path, &content)?;
    tracing::error!(
        path = %path.display(),
        checkpoints_saved = found,
        "checkpoints were lost; a new file was made with those that could still be read, and files without one are \
         sent again from their beginning"
    );
    Ok((store, true))
}

fn file_error(path: &Path, source: io::Error) -> RecoveryError {
    RecoveryError::File { path: path.to_owned(), source }
}
