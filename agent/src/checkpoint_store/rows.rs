//! Checkpoints as rows.
//!
//! Invariant: what comes out of a row is a checkpoint that could have been saved; anything else is an error, never a
//! panic later on.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rusqlite::types::{Type, Value, ValueRef};
use rusqlite::{Connection, Row, params};

use super::COLUMNS;
use crate::checkpoint::{FileCheckpoint, Fingerprint, HEAD_BYTES, MARKER_BYTES, Print};
use crate::types::{FileId, Node, Origin};

/// Reads a row of [`COLUMNS`]: the flow, and its checkpoint.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<(String, FileCheckpoint)> {
    let number = |place| row.get::<_, i64>(place).map(i64::cast_unsigned);
    let path = match row.get_ref(2)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => PathBuf::from(OsStr::from_bytes(bytes)),
        other => return Err(rusqlite::Error::InvalidColumnType(2, "path".to_owned(), other.data_type())),
    };
    let checkpoint = FileCheckpoint {
        file: FileId(row.get(1)?),
        path,
        former_paths: former_paths(row)?,
        node: Node { device: number(3)?, inode: number(4)?, birth: number(10)? },
        fingerprint: Fingerprint {
            offset: number(5)?,
            head: Print { length: row.get(6)?, digest: row.get(7)? },
            marker: Print { length: row.get(8)?, digest: row.get(9)? },
        },
        is_finished: row.get(11)?,
        origin: origin(row)?,
    };
    if !makes_sense(&checkpoint) {
        let why = "file, offset and fingerprint do not belong together";
        return Err(rusqlite::Error::FromSqlConversionFailure(5, Type::Integer, why.into()));
    }
    Ok((row.get(0)?, checkpoint))
}

fn origin(row: &Row<'_>) -> rusqlite::Result<Option<Origin>> {
    let Some(text) = row.get::<_, Option<String>>(12)? else { return Ok(None) };
    let why = || rusqlite::Error::FromSqlConversionFailure(12, Type::Text, "no origin".into());
    Origin::parse(&text).map(Some).ok_or_else(why)
}

/// Separated by NULs, which no path contains.
fn former_paths(row: &Row<'_>) -> rusqlite::Result<Vec<PathBuf>> {
    let joined: Option<Vec<u8>> = row.get(13)?;
    let paths = joined.iter().flat_map(|joined| joined.split(|byte| *byte == 0));
    Ok(paths.map(|path| PathBuf::from(OsStr::from_bytes(path))).collect())
}

fn former_paths_value(paths: &[PathBuf]) -> Option<Vec<u8>> {
    let bytes: Vec<&[u8]> = paths.iter().map(|path| path.as_os_str().as_bytes()).collect();
    (!bytes.is_empty()).then(|| bytes.join(&0))
}

fn makes_sense(checkpoint: &FileCheckpoint) -> bool {
    let Fingerprint { offset, head, marker } = checkpoint.fingerprint;
    checkpoint.file.0 < u32::MAX // there is a next one
        && i64::try_from(offset).is_ok()
        && head.length as usize <= HEAD_BYTES
        && marker.length as usize <= MARKER_BYTES
        && u64::from(marker.length) <= offset
}

/// Writes a checkpoint over the one that the file has.
pub(super) fn write(
    connection: &Connection,
    flow: &str,
    checkpoint: &FileCheckpoint,
) -> rusqlite::Result<()> {
    let FileCheckpoint { file, path, former_paths, node, fingerprint, is_finished, origin } = checkpoint;
    let mut upsert = connection.prepare_cached(&format!(
        "INSERT OR REPLACE INTO checkpoints ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ))?;
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
        origin.map(|origin| origin.to_string()),
        former_paths_value(former_paths),
    ])?;
    Ok(())
}

/// Text where it can be, for people who look into the file; bytes for the rare path that is no text.
fn path_value(path: &Path) -> Value {
    match path.to_str() {
        Some(text) => Value::Text(text.to_owned()),
        None => Value::Blob(path.as_os_str().as_bytes().to_vec()),
    }
}
