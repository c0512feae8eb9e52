//! Checkpoints in a SQLite file.
//!
//! Invariants: a save is one transaction, on disk when it returns; the file belongs to one process at a time; what an
//! open store holds in memory ([`CheckpointStore::image`]) is what the file holds, so that a file that breaks can be
//! written anew.
//!
//! Why a power cut costs nothing that was saved: in WAL mode a commit appends checksummed frames to the log beside the
//! file and, with `synchronous = FULL`, returns only when they are on the disk. A torn end of that log fails its
//! checksum and is not read; the file itself is changed only from a log that is on the disk.

mod java;
mod reader;
mod rows;
mod salvage;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, params};

use crate::checkpoint::FileCheckpoint;
use crate::java_checkpoint::JavaCheckpoint;
use crate::types::FileId;

pub use java::read_java_database;
pub use reader::read;
use rows::{read as read_row, write as write_row};
pub use salvage::salvage;
use schema::{COLUMNS, JAVA_TABLE, Kind, has_java_table, kind, prepare};

/// How long a start waits for a reader of the file (`status` without an agent) to be done.
const READER_PATIENCE: Duration = Duration::from_secs(1);

/// Pages that SQLite keeps in memory: few, because what the file holds is in memory, too.
const CACHE_PAGES: i64 = 64;

/// What a checkpoint file holds, by flow. A flow without files is one that has run.
pub type Image = BTreeMap<String, BTreeMap<FileId, FileCheckpoint>>;

/// The store, open.
#[derive(Debug)]
pub struct CheckpointStore {
    connection: Connection,
    path: PathBuf,
    image: Image,
}

/// What is saved at once for one flow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlowSave {
    /// The flow's id.
    pub flow: String,
    /// Checkpoints to write.
    pub saved: Vec<FileCheckpoint>,
    /// Files whose checkpoints go.
    pub forgotten: Vec<FileId>,
}

/// Why the store does not work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else has it.
    #[error(
        "checkpoint file {path} is in use by another agent: stop that one first, or give this one a checkpointFile of its own"
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It does not hold what an agent wrote.
    #[error("checkpoint file {path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It is no database at all.
    #[error(
        "checkpoint file {path} is no database: let checkpointFile name a file of its own, or remove this one if it was \
         the agent's"
    )]
    NoDatabase {
        /// The file.
        path: PathBuf,
    },
    /// It is a good database that is not ours.
    #[error(
        "checkpoint file {path} is another program's database (it has the table {table}): let checkpointFile name a file of its own"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// A table in it.
        table: String,
    },
    /// Anything else.
    #[error("checkpoint file {path}: {source}; see that its directory exists, is writable and has room")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// Whether the file has to be written anew.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::NoDatabase { .. })
    }
}

impl CheckpointStore {
    /// Opens the store, making it if it does not exist. `has_existed`: there were tables in it before, so that it is
    /// damaged if there are none.
    ///
    /// # Errors
    ///
    /// The file is another agent's, is damaged, or cannot be used.
    pub fn open(path: &Path, has_existed: bool) -> Result<Self, StoreError> {
        Self::open_or_make(path, has_existed, &Image::new())
    }

    /// Makes the store with this content. The content is there whenever the tables are: both come in one transaction.
    ///
    /// # Errors
    ///
    /// As [`CheckpointStore::open`].
    pub fn make(path: &Path, content: &Image) -> Result<Self, StoreError> {
        Self::open_or_make(path, false, content)
    }

    fn open_or_make(path: &Path, has_existed: bool, content: &Image) -> Result<Self, StoreError> {
        let fails = |source| failure(path, source);
        let mut connection = connect(path).map_err(fails)?;
        let kind = check(&connection, path)?;
        if kind == Kind::Blank && has_existed && !has_java_table(&connection).map_err(fails)? {
            let reason = "its tables are gone".to_owned();
            return Err(StoreError::Damaged { path: path.to_owned(), reason });
        }
        let transaction = connection.transaction().map_err(fails)?;
        prepare(&transaction, &kind).map_err(fails)?;
        if kind == Kind::Blank {
            for (flow, files) in content {
                let saved = files.values().cloned().collect();
                write(&transaction, &FlowSave { flow: flow.clone(), saved, ..FlowSave::default() })
                    .map_err(fails)?;
            }
        }
        // Rows of older tables are looked at here first. If they are damaged the file stays as it was.
        let image = reader::image(&transaction)
            .map_err(|error| StoreError::Damaged { path: path.to_owned(), reason: error.to_string() })?;
        transaction.commit().map_err(fails)?;
        Ok(Self { connection, path: path.to_owned(), image })
    }

    /// What a flow's last run left: its checkpoints, and whether there was a last run at all.
    #[must_use]
    pub fn load(&self, flow: &str) -> (Vec<FileCheckpoint>, bool) {
        match self.image.get(flow) {
            Some(files) => (files.values().cloned().collect(), true),
            None => (Vec::new(), false),
        }
    }

    /// Everything that is saved.
    #[must_use]
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The Java agent's checkpoints, if this very file was the Java agent's before.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn java_checkpoints(&self) -> Result<Vec<JavaCheckpoint>, StoreError> {
        java::checkpoints(&self.connection).map_err(|source| failure(&self.path, source))
    }

    /// Saves in one transaction, which is on disk when this returns. Also notes that these flows ran.
    ///
    /// # Errors
    ///
    /// Nothing was saved; the file still holds what it held before.
    pub fn save(&mut self, saves: &[FlowSave]) -> Result<(), StoreError> {
        let mut save = || {
            let transaction = self.connection.transaction()?;
            for save in saves {
                write(&transaction, save)?;
            }
            transaction.commit()
        };
        save().map_err(|source| failure(&self.path, source))?;
        for save in saves {
            remember(&mut self.image, save);
        }
        Ok(())
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    // Exclusive, and taken at once: two agents on one file would overwrite each other.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.busy_timeout(READER_PATIENCE)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", CACHE_PAGES)?;
    connection.execute_batch("BEGIN EXCLUSIVE; COMMIT;")?;
    Ok(connection)
}

/// Whether the database is sound and may be used.
fn check(connection: &Connection, path: &Path) -> Result<Kind, StoreError> {
    let fails = |source| failure(path, source);
    let damaged = |reason| StoreError::Damaged { path: path.to_owned(), reason };
    let found_kind = kind(connection).map_err(fails)?;
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(fails)?;
    if found != "ok" {
        return Err(damaged(found));
    }
    match found_kind {
        Kind::Foreign(table) => Err(StoreError::Foreign { path: path.to_owned(), table }),
        Kind::Unknown(reason) => Err(damaged(reason)),
        Kind::Present => {
            // A table or a column that is not there, or a row that makes no sense.
            reader::image(connection).map_err(|error| damaged(error.to_string()))?;
            Ok(found_kind)
        }
        Kind::Blank | Kind::Version1 | Kind::Version2 | Kind::Version3 => Ok(found_kind),
    }
}

fn write(transaction: &Connection, save: &FlowSave) -> rusqlite::Result<()> {
    let FlowSave { flow, saved, forgotten } = save;
    transaction.prepare_cached("INSERT OR IGNORE INTO flows (flow) VALUES (?1)")?.execute([flow])?;
    let mut delete = transaction.prepare_cached("DELETE FROM checkpoints WHERE flow = ?1 AND file = ?2")?;
    for file in forgotten {
        delete.execute(params![flow, file.0])?;
    }
    saved.iter().try_for_each(|checkpoint| write_row(transaction, flow, checkpoint))
}

/// What [`write()`] did, to the image.
fn remember(image: &mut Image, save: &FlowSave) {
    let files = image.entry(save.flow.clone()).or_default();
    for file in &save.forgotten {
        files.remove(file);
    }
    files.extend(save.saved.iter().map(|checkpoint| (checkpoint.file, checkpoint.clone())));
}

fn failure(path: &Path, source: rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseCorrupt, DatabaseLocked, NotADatabase};
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(DatabaseBusy | DatabaseLocked) => StoreError::InUse { path },
        Some(NotADatabase) => StoreError::NoDatabase { path },
        Some(DatabaseCorrupt) => StoreError::Damaged { path, reason: source.to_string() },
        _ => StoreError::Sqlite { path, source },
    }
}
