//! Reading the checkpoint tables, also for those who only look.
//!
//! Invariant: changes nothing.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};

use super::schema::{COLUMNS, Kind};
use super::{FinishedFile, Image, READER_PATIENCE, StoreError, failure, rows, schema};
use crate::types::Node;

/// What is remembered while no agent runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Remembered {
    /// The files under way.
    pub image: Image,
    /// The files that are no longer followed.
    pub finished: Vec<FinishedFile>,
}

/// Reads the file without changing it. An agent that starts meanwhile waits for this to be over.
///
/// # Errors
///
/// There is no such file, it cannot be read, or an agent has it.
pub fn read(path: &Path) -> Result<Remembered, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let read = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(READER_PATIENCE)?;
        match schema::kind(&connection)? {
            Kind::Present => {
                Ok(Some(Remembered { image: image(&connection)?, finished: finished(&connection, None)? }))
            }
            _ => Ok(None),
        }
    };
    match read() {
        Ok(Some(remembered)) => Ok(remembered),
        Ok(None) => Err(StoreError::Damaged {
            path: path.to_owned(),
            reason: "it does not hold this agent's tables; start the agent once".to_owned(),
        }),
        Err(source) => Err(failure(path, source)),
    }
}

pub(super) fn image(connection: &Connection) -> rusqlite::Result<Image> {
    let mut image = Image::new();
    let mut flows = connection.prepare("SELECT flow FROM flows")?;
    for flow in flows.query_map([], |row| row.get(0))? {
        image.insert(flow?, std::collections::BTreeMap::new());
    }
    let mut files = connection.prepare(&format!("SELECT flow, file, {COLUMNS} FROM checkpoints"))?;
    for row in files.query_map([], rows::checkpoint)? {
        let (flow, checkpoint) = row?;
        image.entry(flow).or_default().insert(checkpoint.file, checkpoint);
    }
    Ok(image)
}

pub(super) fn finished(connection: &Connection, node: Option<Node>) -> rusqlite::Result<Vec<FinishedFile>> {
    let select = format!("SELECT flow, {COLUMNS} FROM finished_files");
    match node {
        None => connection.prepare(&select)?.query_map([], rows::finished)?.collect(),
        Some(node) => connection
            .prepare(&format!("{select} WHERE device = ?1 AND inode = ?2"))?
            .query_map(params![node.device.cast_signed(), node.inode.cast_signed()], rows::finished)?
            .collect(),
    }
}

pub(super) fn finished_for(connection: &Connection, age: Duration) -> rusqlite::Result<Vec<FinishedFile>> {
    let select =
        format!("SELECT flow, {COLUMNS} FROM finished_files WHERE unixepoch(finished) <= unixepoch() - ?1");
    let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
    connection.prepare(&select)?.query_map([seconds], rows::finished)?.collect()
}
