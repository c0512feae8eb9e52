//! The tables of the checkpoint file, and what a file is that was found in their place.
//!
//! Invariant: tables are made or brought up to date in one transaction, and only in a file that is empty, ours, or the
//! Java agent's: its one table stays beside ours as it is, so that there is a way back.

use rusqlite::{Connection, OptionalExtension as _};

/// The version of the tables, in the file's `user_version`.
const VERSION: i64 = 4;

/// The Java agent's table. SQLite's names know no case, so none of ours may be called like it.
pub(super) const JAVA_TABLE: &str = "file_checkpoints";

/// Columns of a checkpoint, in the order in which its row is read and written.
pub(super) const COLUMNS: &str = "flow, file, path, device, inode, acknowledged_offset, head_length, head_md5, marker_length, marker_md5, birth, finished, origin, former_paths";

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS flows (
        flow TEXT PRIMARY KEY,
        first_started TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
    ) STRICT;
    CREATE TABLE IF NOT EXISTS checkpoints (
        flow TEXT NOT NULL,
        file INTEGER NOT NULL,
        path ANY NOT NULL,
        device INTEGER NOT NULL,
        inode INTEGER NOT NULL,
        birth INTEGER NOT NULL DEFAULT 0,
        acknowledged_offset INTEGER NOT NULL,
        head_length INTEGER NOT NULL,
        head_md5 BLOB NOT NULL,
        marker_length INTEGER NOT NULL,
        marker_md5 BLOB NOT NULL,
        finished INTEGER NOT NULL DEFAULT 0,
        origin TEXT,
        former_paths BLOB,
        updated TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
        PRIMARY KEY (flow, file)
    ) STRICT;
    PRAGMA user_version = 4;
";

/// What version 1 called otherwise, and lacked: it knew no births, which match any, and no finished files.
const FROM_VERSION_1: &str = "
    ALTER TABLE file_checkpoints RENAME TO checkpoints;
    ALTER TABLE checkpoints ADD COLUMN birth INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE checkpoints ADD COLUMN finished INTEGER NOT NULL DEFAULT 0;
";

/// What version 2 lacked: a file without an origin gets one when it is read on.
const FROM_VERSION_2: &str = "ALTER TABLE checkpoints ADD COLUMN origin TEXT;";

/// What version 3 lacked: a file of which no former path is known has none.
const FROM_VERSION_3: &str = "ALTER TABLE checkpoints ADD COLUMN former_paths BLOB;";

/// What a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Without tables of ours: empty, or the Java agent's.
    Blank,
    /// Ours, with the first tables.
    Version1,
    /// Ours, with the second ones.
    Version2,
    /// Ours, with the third ones.
    Version3,
    /// Ours.
    Present,
    /// Ours, but not as this agent knows it; the reason.
    Unknown(String),
    /// Another program's; one of its tables.
    Foreign(String),
}

/// Looks what the database is.
pub(super) fn kind(connection: &Connection) -> rusqlite::Result<Kind> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let is_ours = has_table(connection, "flows")?;
    Ok(match version {
        0 if !is_ours => match foreign_table(connection)? {
            Some(table) => Kind::Foreign(table),
            None => Kind::Blank,
        },
        1 if is_ours => Kind::Version1,
        2 if is_ours => Kind::Version2,
        3 if is_ours => Kind::Version3,
        VERSION if is_ours => Kind::Present,
        _ if is_ours => Kind::Unknown(format!(
            "its tables are of version {version}, and this agent knows them up to version {VERSION}"
        )),
        _ => Kind::Foreign(foreign_table(connection)?.unwrap_or_else(|| format!("user_version {version}"))),
    })
}

/// Makes the tables, or brings them up to date. To be called within a transaction.
pub(super) fn prepare(connection: &Connection, kind: &Kind) -> rusqlite::Result<()> {
    let steps: &[&str] = match kind {
        Kind::Version1 => &[FROM_VERSION_1, FROM_VERSION_2, FROM_VERSION_3, TABLES],
        Kind::Version2 => &[FROM_VERSION_2, FROM_VERSION_3, TABLES],
        Kind::Version3 => &[FROM_VERSION_3, TABLES],
        Kind::Blank => &[TABLES],
        Kind::Present | Kind::Unknown(_) | Kind::Foreign(_) => &[],
    };
    steps.iter().try_for_each(|step| connection.execute_batch(step))
}

/// Whether the Java agent's table is there.
pub(super) fn has_java_table(connection: &Connection) -> rusqlite::Result<bool> {
    let columns = "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?1) WHERE name = 'fileId')";
    connection.query_row(columns, [JAVA_TABLE], |row| row.get(0))
}

fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let tables = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND lower(name) = ?1)";
    connection.query_row(tables, [name], |row| row.get(0))
}

/// A table that is neither ours nor the Java agent's.
fn foreign_table(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let known = if has_java_table(connection)? { JAVA_TABLE } else { "" };
    let tables = "SELECT name FROM sqlite_master
                  WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND lower(name) <> ?1";
    connection.query_row(tables, [known], |row| row.get(0)).optional()
}
