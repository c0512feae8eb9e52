//! The first start after the Java agent: its checkpoints become ours. What is decided of each file stands in
//! [`java_handover`](crate::core::java_handover).
//!
//! Invariant: a flow that has run here is never imported again; the Java agent's database is not changed.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use crate::checkpoint::{FileCheckpoint, Fingerprint};
use crate::checkpoint_store::{CheckpointStore, FlowSave, StoreError, read_java_database};
use crate::config::options::agent::IMPORT_CHECKPOINT_FILE;
use crate::config::{AgentConfig, FlowConfig};
use crate::core::identity::is_rotated_name;
use crate::core::java_handover::{Candidate, GoOn, hand_over};
use crate::core::rotated_name::{kind, rotated_kind};
use crate::fs::state::{self, DatabaseCopy};
use crate::fs::{self, OpenFile, directories};
use crate::java_checkpoint::JavaCheckpoint;
use crate::source_file::Listed;
use crate::types::FileId;

/// Why the Java agent's checkpoints could not be taken over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Its database.
    #[error(
        "the Java agent's checkpoints in {path} cannot be read: {reason}; without them lines would be skipped or sent \
         twice. Make the file readable, or set \"importCheckpointFile\": \"\" to start without them"
    )]
    Database {
        /// The database.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The log files.
    #[error("flow {flow}: {path} cannot be read to go on where the Java agent was: {source}")]
    File {
        /// The flow.
        flow: String,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Our own checkpoints.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes over what the Java agent remembers of flows that never ran here.
///
/// # Errors
///
/// [`ImportError`]; nothing of the flow in question was taken over.
pub fn import(config: &AgentConfig, store: &mut CheckpointStore) -> Result<(), ImportError> {
    let is_new = |flow: &&FlowConfig| !store.image().contains_key(&flow.id);
    let flows: Vec<_> = config.flows.iter().filter(is_new).collect();
    if flows.is_empty() {
        return Ok(());
    }
    let rows = rows(config.import_checkpoint_file.as_deref(), store)?;
    for flow in flows {
        let of_flow: Vec<_> = rows.iter().filter(|row| row.flow == flow.id).cloned().collect();
        if !of_flow.is_empty() {
            let saved = checkpoints(flow, &of_flow)?;
            store.save(&[FlowSave { flow: flow.id.clone(), saved, forgotten: Vec::new() }])?;
        }
    }
    Ok(())
}

/// The Java agent's rows: from its database, and from our own file if that was its database before.
fn rows(path: Option<&Path>, store: &CheckpointStore) -> Result<Vec<JavaCheckpoint>, ImportError> {
    let mut rows = store.java_checkpoints()?;
    let Some(path) = path.filter(|path| *path != store.path()) else { return Ok(rows) };
    let fails = |reason: String| ImportError::Database { path: path.to_owned(), reason };
    let is_default = Some(path) == IMPORT_CHECKPOINT_FILE.default.map(Path::new);
    match state::node_and_size(path) {
        Ok(Some(_)) => {}
        Ok(None) if is_default => return Ok(rows),
        Ok(None) => {
            tracing::warn!(path = %path.display(), "importCheckpointFile does not exist, nothing is imported from it");
            return Ok(rows);
        }
        Err(error) => return Err(fails(error.to_string())),
    }
    // Killed in the middle of a transaction, the Java agent leaves a database that only a writer can read.
    let read = read_java_database(path, false).or_else(|error| {
        let copy = DatabaseCopy::make(path, state::with_suffix(store.path(), ".import"));
        copy.map_or(Err(error), |copy| read_java_database(copy.path(), true))
    });
    match read {
        Ok(Some(found)) => rows.extend(found),
        Ok(None) => return Err(fails("it has no table FILE_CHECKPOINTS".to_owned())),
        Err(error) => return Err(fails(error.to_string())),
    }
    Ok(rows)
}

fn checkpoints(flow: &FlowConfig, rows: &[JavaCheckpoint]) -> Result<Vec<FileCheckpoint>, ImportError> {
    let fails =
        |path: &Path, source| ImportError::File { flow: flow.id.clone(), path: path.to_owned(), source };
    let candidates = candidates(flow, rows).map_err(|source| fails(flow.file_pattern.directory(), source))?;
    let go_on = hand_over(rows, &candidates, ends_line);
    let mut saved = Vec::new();
    for (Candidate { file, .. }, go_on) in candidates.iter().zip(go_on) {
        let Some(go_on) = go_on else { continue };
        let is_finished = go_on == GoOn::Finished;
        let place = match place(&file.path, go_on) {
            // Nothing in it is wanted; if it is shown again, that it cannot be read is said then.
            Err(_) if is_finished => continue,
            place => place.map_err(|source| fails(&file.path, source))?,
        };
        let offset = place.map_or(0, |fingerprint| fingerprint.offset);
        tracing::info!(
            flow = flow.id, path = %file.path.display(), offset, size = file.size, "taken over from the Java agent"
        );
        if let Some(fingerprint) = place {
            let id = FileId(u32::try_from(saved.len()).unwrap_or(u32::MAX - 1));
            let Listed { path, node, .. } = file.clone();
            saved.push(FileCheckpoint {
                file: id,
                path,
                former_paths: Vec::new(),
                node,
                fingerprint,
                is_finished,
                origin: None,
            });
        }
    }
    say_what_is_missing(flow, rows, &saved);
    Ok(saved)
}

/// The file of the row that was written last is the one that the Java agent was reading.
fn say_what_is_missing(flow: &FlowConfig, rows: &[JavaCheckpoint], saved: &[FileCheckpoint]) {
    let Some(last) = rows.iter().max_by(|left, right| left.updated.cmp(&right.updated)) else { return };
    let is_last = |saved: &FileCheckpoint| {
        Some(saved.node.inode) == last.node.map(|node| node.inode) || is_rotated_name(&last.path, &saved.path)
    };
    if !saved
        .iter()
        .any(|saved| !saved.is_finished && is_last(saved) && saved.fingerprint.offset >= last.offset)
    {
        tracing::warn!(
            flow = flow.id,
            path = %last.path.display(),
            offset = last.offset,
            "the file that the Java agent was reading is gone, or does not hold what it has read; files that changed \
             since are sent from their beginning"
        );
    }
}

/// The files that the flow's listing shows, those of the rows under whatever name beside them, and rotated names of
/// those.
fn candidates(flow: &FlowConfig, rows: &[JavaCheckpoint]) -> io::Result<Vec<Candidate>> {
    let pattern = &flow.file_pattern;
    let listed = directories::find(pattern.root(), pattern.levels()).matching;
    let mut all: BTreeSet<&Path> = listed.iter().map(PathBuf::as_path).collect();
    all.extend(rows.iter().filter_map(|row| row.path.parent()));
    let (mut candidates, mut seen) = (Vec::new(), HashSet::new());
    for directory in all {
        let is_listed = listed.iter().any(|matching| matching == directory);
        let kind = |name: &OsStr| kind(pattern, &directory.join(name)).filter(|_| is_listed);
        for file in
            fs::list(directory, flow.link_policy, |name| kind(name).or_else(|| Some(rotated_kind(name))))?
                .files
        {
            let is_listed = file.path.file_name().is_some_and(|name| kind(name).is_some());
            let is_rows = rows.iter().any(|row| {
                row.node.is_some_and(|node| node.inode == file.node.inode)
                    || (is_rotated_name(&row.path, &file.path) && !is_compressed(&file.path))
            });
            if (is_listed || is_rows) && seen.insert(file.node) {
                let modified_ms = state::modified_ms(&file.path)?;
                candidates.push(Candidate { file, modified_ms, is_listed });
            }
        }
    }
    Ok(candidates)
}

/// Of compressed bytes a newline says nothing.
fn is_compressed(path: &Path) -> bool {
    let extension = path.extension().map(OsStr::to_ascii_lowercase);
    extension.is_some_and(|extension| {
        ["gz", "bz2", "zip", "xz", "zst", "lz4"].iter().any(|known| extension == *known)
    })
}

/// Where a file goes on, with the fingerprint there; `None` at its beginning.
fn place(path: &Path, go_on: GoOn) -> io::Result<Option<Fingerprint>> {
    let (fingerprint, _) = match go_on {
        GoOn::AtBeginning => return Ok(None),
        GoOn::Finished => return OpenFile::open(path)?.stored_fingerprint().map(Some),
        GoOn::At(offset) => OpenFile::open(path)?.fingerprint_at(offset)?,
        GoOn::AtEnd => {
            let file = OpenFile::open(path)?;
            let size = file.status()?.size;
            file.last_line_end(size)?
        }
    };
    Ok(Some(fingerprint))
}

/// Whether a line ends there; it does at the beginning. A file that cannot be read ends none.
fn ends_line(candidate: &Candidate, offset: u64) -> bool {
    let Some(before) = offset.checked_sub(1) else { return true };
    let mut byte = Vec::new();
    let read = OpenFile::open(&candidate.file.path).and_then(|file| file.read_at(before, 1, &mut byte));
    read.is_ok() && byte == b"\n"
}
