//! The Java agent's checkpoints.
//!
//! Invariant: its table is read and never changed.

use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};

use super::{JAVA_TABLE, READER_PATIENCE, StoreError, failure, has_java_table};
use crate::java_checkpoint::JavaCheckpoint;
use crate::types::Node;

/// The checkpoints in the Java agent's database `path`. `None` if it is no such database. It is changed only if
/// `may_repair`, to take back a transaction in whose middle the Java agent was killed; otherwise that is an error.
///
/// # Errors
///
/// It cannot be read.
pub fn read_java_database(path: &Path, may_repair: bool) -> Result<Option<Vec<JavaCheckpoint>>, StoreError> {
    let access =
        if may_repair { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let read = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(READER_PATIENCE)?;
        if has_java_table(&connection)? { checkpoints(&connection).map(Some) } else { Ok(None) }
    };
    read().map_err(|source| failure(path, source))
}

pub(super) fn checkpoints(connection: &Connection) -> rusqlite::Result<Vec<JavaCheckpoint>> {
    if !has_java_table(connection)? {
        return Ok(Vec::new());
    }
    let columns = "flow, path, fileId, lastModifiedTime, size, \"offset\", lastUpdated";
    let select = format!("SELECT {columns} FROM {JAVA_TABLE}");
    connection.prepare(&select)?.query_map([], checkpoint)?.collect()
}

fn checkpoint(row: &Row<'_>) -> rusqlite::Result<JavaCheckpoint> {
    let number = |place| row.get::<_, Option<i64>>(place).map(Option::unwrap_or_default);
    let text = |place| {
        row.get_ref(place).map(|value| match value {
            ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        })
    };
    Ok(JavaCheckpoint {
        flow: text(0)?,
        path: PathBuf::from(text(1)?),
        node: node(&text(2)?),
        modified_ms: number(3)?,
        size: u64::try_from(number(4)?).unwrap_or(0),
        offset: u64::try_from(number(5)?).unwrap_or(0),
        updated: text(6)?,
    })
}

/// Java's file key on Linux: `(dev=fe00,ino=10575963)`, the device in hexadecimal.
fn node(text: &str) -> Option<Node> {
    let (device, inode) = text.strip_prefix("(dev=")?.strip_suffix(')')?.split_once(",ino=")?;
    Some(Node { device: u64::from_str_radix(device, 16).ok()?, inode: inode.parse().ok()?, birth: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_keys() {
        let is = |text: &str, expected: Option<(u64, u64)>| {
            assert_eq!(
                node(text),
                expected.map(|(device, inode)| Node { device, inode, birth: 0 }),
                "{text}"
            );
        };
        is("(dev=fe00,ino=10575963)", Some((0xfe00, 10_575_963)));
        is("(dev=1f,ino=18446744073709551615)", Some((0x1f, u64::MAX)));
        for nonsense in ["", "(dev=,ino=)", "(dev=fe00,ino=x)", "dev=fe00,ino=1", "(dev=fe00)"] {
            is(nonsense, None);
        }
    }
}
