//! Reading the checkpoint tables, also for those who only look.
//!
//! Invariant: changes nothing.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{COLUMNS, Image, Kind, READER_PATIENCE, StoreError, failure, kind, read_row};

/// Reads the file without changing it. An agent that starts meanwhile waits for this to be over.
///
/// # Errors
///
/// There is no such file, it cannot be read, or an agent has it.
pub fn read(path: &Path) -> Result<Image, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let read = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(READER_PATIENCE)?;
        match kind(&connection)? {
            Kind::Present => image(&connection).map(Some),
            _ => Ok(None),
        }
    };
    let unknown = || StoreError::Damaged {
        path: path.to_owned(),
        reason: "it does not hold this agent's tables; start the agent once".to_owned(),
    };
    read().map_err(|source| failure(path, source))?.ok_or_else(unknown)
}

/// Everything in the tables.
pub(super) fn image(connection: &Connection) -> rusqlite::Result<Image> {
    let mut image = Image::new();
    let mut flows = connection.prepare("SELECT flow FROM flows")?;
    for flow in flows.query_map([], |row| row.get(0))? {
        image.insert(flow?, BTreeMap::new());
    }
    let mut files = connection.prepare(&format!("SELECT {COLUMNS} FROM checkpoints"))?;
    for row in files.query_map([], read_row)? {
        let (flow, checkpoint) = row?;
        image.entry(flow).or_default().insert(checkpoint.file, checkpoint);
    }
    Ok(image)
}
