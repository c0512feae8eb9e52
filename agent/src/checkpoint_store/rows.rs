//! Checkpoints as rows.
//!
//! Invariant: what comes out of a row is a checkpoint that could have been saved; anything else is an error, never a
//! panic later on.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rusqlite::types::{Type, Value, ValueRef};
use rusqlite::{Row, ToSql};

use super::FinishedFile;
use crate::checkpoint::{FileCheckpoint, Fingerprint, HEAD_BYTES, MARKER_BYTES, Print};
use crate::types::{FileId, Node};

/// A row whose columns are flow, file and [`super::schema::COLUMNS`].
pub(super) fn checkpoint(row: &Row<'_>) -> rusqlite::Result<(String, FileCheckpoint)> {
    let file: u32 = row.get(1)?;
    if file == u32::MAX {
        return Err(nonsense(1, "a file's number leaves no next one"));
    }
    let (path, node, fingerprint) = place(row, 2)?;
    Ok((row.get(0)?, FileCheckpoint { file: FileId(file), path, node, fingerprint }))
}

/// A row whose columns are flow and [`super::schema::COLUMNS`].
pub(super) fn finished(row: &Row<'_>) -> rusqlite::Result<FinishedFile> {
    let (path, node, fingerprint) = place(row, 1)?;
    Ok(FinishedFile { flow: row.get(0)?, path, node, fingerprint })
}

fn place(row: &Row<'_>, first: usize) -> rusqlite::Result<(PathBuf, Node, Fingerprint)> {
    let number = |place| row.get::<_, i64>(place).map(i64::cast_unsigned);
    let path = match row.get_ref(first)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => PathBuf::from(OsStr::from_bytes(bytes)),
        other => {
            return Err(rusqlite::Error::InvalidColumnType(first, "path".to_owned(), other.data_type()));
        }
    };
    let fingerprint = Fingerprint {
        offset: number(first + 3)?,
        head: Print { length: row.get(first + 4)?, digest: row.get(first + 5)? },
        marker: Print { length: row.get(first + 6)?, digest: row.get(first + 7)? },
    };
    let Fingerprint { offset, head, marker } = fingerprint;
    if i64::try_from(offset).is_err()
        || head.length as usize > HEAD_BYTES
        || marker.length as usize > MARKER_BYTES
        || u64::from(marker.length) > offset
    {
        return Err(nonsense(first + 3, "offset and fingerprint do not belong together"));
    }
    Ok((path, Node { device: number(first + 1)?, inode: number(first + 2)? }, fingerprint))
}

fn nonsense(column: usize, why: &'static str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, why.into())
}

/// The values of [`super::schema::COLUMNS`].
pub(super) fn values(path: &Path, node: Node, fingerprint: &Fingerprint) -> [Box<dyn ToSql>; 8] {
    [
        Box::new(path_value(path)),
        Box::new(node.device.cast_signed()),
        Box::new(node.inode.cast_signed()),
        Box::new(fingerprint.offset.cast_signed()),
        Box::new(fingerprint.head.length),
        Box::new(fingerprint.head.digest),
        Box::new(fingerprint.marker.length),
        Box::new(fingerprint.marker.digest),
    ]
}

/// Text where it can be, for people who look into the file; bytes for the rare path that is no text.
fn path_value(path: &Path) -> Value {
    match path.to_str() {
        Some(text) => Value::Text(text.to_owned()),
        None => Value::Blob(path.as_os_str().as_bytes().to_vec()),
    }
}
