//! Checkpoints in a SQLite file.
//!
//! Invariants: a save is one transaction, on disk when it returns; the file belongs to one process at a time.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, params};

use crate::checkpoint::{FileCheckpoint, Fingerprint, Print};
use crate::types::{FileId, Node};

/// The tables, as of version 2 of the file.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS flows (
        flow TEXT PRIMARY KEY,
        first_started TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
    ) STRICT;
    CREATE TABLE IF NOT EXISTS file_checkpoints (
        flow TEXT NOT NULL,
        file INTEGER NOT NULL,
        path ANY NOT NULL,
        device INTEGER NOT NULL,
        inode INTEGER NOT NULL,
        birth INTEGER NOT NULL DEFAULT 0,
        finished INTEGER NOT NULL DEFAULT 0,
        acknowledged_offset INTEGER NOT NULL,
        head_length INTEGER NOT NULL,
        head_md5 BLOB NOT NULL,
        marker_length INTEGER NOT NULL,
        marker_md5 BLOB NOT NULL,
        updated TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
        PRIMARY KEY (flow, file)
    ) STRICT;
    PRAGMA user_version = 2;
";

/// What version 1 lacked. It knew no births, which match any, and no finished files.
const FROM_VERSION_1: &str = "
    ALTER TABLE file_checkpoints ADD COLUMN birth INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE file_checkpoints ADD COLUMN finished INTEGER NOT NULL DEFAULT 0;
";

/// The store, open.
#[derive(Debug)]
pub struct CheckpointStore {
    connection: Connection,
    path: PathBuf,
}

/// What is saved at once for one flow.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Anything else.
    #[error("checkpoint file {path}: {source}; see that its directory exists, is writable and has room")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl CheckpointStore {
    /// Opens the store, making it if it does not exist.
    ///
    /// # Errors
    ///
    /// The file is another agent's, or cannot be used.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path).and_then(|connection| {
            // Exclusive, and taken at once: two agents on one file would overwrite each other.
            connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
            connection.busy_timeout(std::time::Duration::ZERO)?;
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            let upgrade = if version == 1 { FROM_VERSION_1 } else { "" };
            connection.execute_batch(&format!("BEGIN EXCLUSIVE;{upgrade}{SCHEMA}COMMIT;"))?;
            Ok(connection)
        });
        match connection {
            Ok(connection) => Ok(Self { connection, path: path.to_owned() }),
            Err(source) => Err(failure(path, source)),
        }
    }

    /// What a flow's last run left: its checkpoints, and whether there was a last run at all.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn load(&self, flow: &str) -> Result<(Vec<FileCheckpoint>, bool), StoreError> {
        let load = || {
            let known = self.connection.query_row(
                "SELECT EXISTS (SELECT 1 FROM flows WHERE flow = ?1)",
                [flow],
                |row| row.get(0),
            )?;
            let mut statement = self.connection.prepare(
                "SELECT file, path, device, inode, acknowledged_offset, head_length, head_md5, marker_length, marker_md5,
                        birth, finished
                 FROM file_checkpoints WHERE flow = ?1 ORDER BY file",
            )?;
            let rows = statement.query_map([flow], checkpoint)?;
            Ok((rows.collect::<Result<_, _>>()?, known))
        };
        load().map_err(|source| failure(&self.path, source))
    }

    /// Saves in one transaction, which is on disk when this returns. Also notes that these flows ran.
    ///
    /// # Errors
    ///
    /// Nothing was saved; the file still holds what it held before.
    pub fn save(&mut self, saves: &[FlowSave]) -> Result<(), StoreError> {
        let mut save = || {
            let transaction = self.connection.transaction()?;
            for FlowSave { flow, saved, forgotten } in saves {
                transaction
                    .prepare_cached("INSERT OR IGNORE INTO flows (flow) VALUES (?1)")?
                    .execute([flow])?;
                let mut delete = transaction
                    .prepare_cached("DELETE FROM file_checkpoints WHERE flow = ?1 AND file = ?2")?;
                for file in forgotten {
                    delete.execute(params![flow, file.0])?;
                }
                let mut upsert = transaction.prepare_cached(
                    "INSERT OR REPLACE INTO file_checkpoints
                     (flow, file, path, device, inode, acknowledged_offset, head_length, head_md5, marker_length, marker_md5,
                      birth, finished)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                )?;
                for FileCheckpoint { file, path, node, fingerprint, is_finished } in saved {
                    upsert.execute(params![
                        flow,
                        file.0,
                        path_value(path),
                        node.device.cast_signed(),
                        node.inode.cast_signed(),
                        fingerprint.offset.cast_signed(),
                        fingerprint.head.length,
                        fingerprint.head.digest,
                        fingerprint.marker.length,
                        fingerprint.marker.digest,
                        node.birth.cast_signed(),
                        is_finished,
                    ])?;
                }
            }
            transaction.commit()
        };
        save().map_err(|source| failure(&self.path, source))
    }
}

fn checkpoint(row: &Row<'_>) -> rusqlite::Result<FileCheckpoint> {
    let number = |place| row.get::<_, i64>(place).map(i64::cast_unsigned);
    let path = match row.get_ref(1)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => PathBuf::from(OsStr::from_bytes(bytes)),
        other => return Err(rusqlite::Error::InvalidColumnType(1, "path".to_owned(), other.data_type())),
    };
    Ok(FileCheckpoint {
        file: FileId(row.get(0)?),
        path,
        node: Node { device: number(2)?, inode: number(3)?, birth: number(9)? },
        fingerprint: Fingerprint {
            offset: number(4)?,
            head: Print { length: row.get(5)?, digest: row.get(6)? },
            marker: Print { length: row.get(7)?, digest: row.get(8)? },
        },
        is_finished: row.get(10)?,
    })
}

/// Text where it can be, for people who look into the file; bytes for the rare path that is no text.
fn path_value(path: &Path) -> Value {
    match path.to_str() {
        Some(text) => Value::Text(text.to_owned()),
        None => Value::Blob(path.as_os_str().as_bytes().to_vec()),
    }
}

fn failure(path: &Path, source: rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            StoreError::InUse { path }
        }
        _ => StoreError::Sqlite { path, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(file: u32, path: &[u8], offset: u64) -> FileCheckpoint {
        FileCheckpoint {
            file: FileId(file),
            path: PathBuf::from(OsStr::from_bytes(path)),
            node: Node { device: u64::MAX, inode: 7, birth: u64::MAX },
            fingerprint: Fingerprint { offset, head: Print::of(b"head"), marker: Print::of(b"marker") },
            is_finished: file == 2,
        }
    }

    #[test]
    fn what_was_saved_is_loaded_after_reopening() {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let path = directory.path().join("checkpoints.db");
        let saved = vec![checkpoint(1, b"/log/a", 1 << 40), checkpoint(2, b"/log/\xFF", 0)];
        {
            let mut store = CheckpointStore::open(&path).expect("opens");
            assert_eq!(store.load("flow").expect("loads"), (Vec::new(), false));
            let save = |saved, forgotten| FlowSave { flow: "flow".to_owned(), saved, forgotten };
            store.save(&[save(saved.clone(), Vec::new())]).expect("saves");
            store.save(&[save(vec![checkpoint(3, b"/log/b", 5)], vec![FileId(3)])]).expect("saves");
            store.save(&[save(Vec::new(), vec![FileId(3)])]).expect("saves");
        }
        let store = CheckpointStore::open(&path).expect("opens again");
        assert_eq!(store.load("flow").expect("loads"), (saved, true));
        assert_eq!(store.load("other").expect("loads"), (Vec::new(), false));
    }

    #[test]
    fn a_file_of_version_1_goes_on() {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let path = directory.path().join("checkpoints.db");
        let old = Connection::open(&path).expect("opens");
        let columns = SCHEMA.lines().filter(|line| !line.contains("birth") && !line.contains("finished"));
        let schema: String =
            columns.collect::<Vec<_>>().join("\n").replace("user_version = 2", "user_version = 1");
        old.execute_batch(&schema).expect("the tables of version 1");
        let row = "INSERT INTO file_checkpoints
            (flow, file, path, device, inode, acknowledged_offset, head_length, head_md5, marker_length, marker_md5)
            VALUES ('flow', 1, '/log/a', 1, 2, 0, 0, zeroblob(16), 0, zeroblob(16))";
        old.execute_batch(row).expect("a checkpoint of version 1");
        drop(old);
        for _ in 0..2 {
            let store = CheckpointStore::open(&path).expect("opens again");
            let (loaded, _) = store.load("flow").expect("loads");
            assert_eq!(loaded[0].node, Node { device: 1, inode: 2, birth: 0 });
            assert!(!loaded[0].is_finished);
        }
    }

    #[test]
    fn a_second_agent_is_refused() {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let path = directory.path().join("checkpoints.db");
        let _first = CheckpointStore::open(&path).expect("opens");
        assert!(matches!(CheckpointStore::open(&path), Err(StoreError::InUse { .. })));
    }
}
