//! What can still be read of a damaged checkpoint file.
//!
//! Invariant: gives rows that make sense, or nothing; never an error. A row need not be true: whoever continues from it
//! compares its fingerprint with the file, so that a wrong one is read again from its beginning.

use std::path::Path;

use rusqlite::Connection;

use super::{COLUMNS, Image, JAVA_TABLE, read_row};

/// The rows of `path` that are readable. Nobody else may use that file.
#[must_use]
pub fn salvage(path: &Path) -> Image {
    let mut image = Image::new();
    let Ok(connection) = Connection::open(path) else { return image };
    // From both ends: a damaged page in the middle hides what lies behind it.
    let version_3 = COLUMNS.replace("former_paths", "NULL");
    let version_2 = version_3.replace("origin", "NULL");
    let version_1 = version_2.replace("birth", "0").replace("finished", "0");
    let tables = [
        (JAVA_TABLE, version_1.as_str()),
        ("checkpoints", version_2.as_str()),
        ("checkpoints", version_3.as_str()),
        // Last, because it says most.
        ("checkpoints", COLUMNS),
    ];
    for (table, columns) in tables {
        for order in ["ASC", "DESC"] {
            collect(
                &connection,
                &format!("SELECT {columns} FROM {table} ORDER BY rowid {order}"),
                &mut image,
            );
        }
    }
    collect_flows(&connection, &mut image);
    image
}

fn collect(connection: &Connection, select: &str, image: &mut Image) {
    let Ok(mut statement) = connection.prepare(select) else { return };
    let Ok(mut found) = statement.query([]) else { return };
    while let Ok(Some(row)) = found.next() {
        if let Ok((flow, checkpoint)) = read_row(row) {
            image.entry(flow).or_default().insert(checkpoint.file, checkpoint);
        }
    }
}

fn collect_flows(connection: &Connection, image: &mut Image) {
    let Ok(mut statement) = connection.prepare("SELECT flow FROM flows") else { return };
    let Ok(mut found) = statement.query([]) else { return };
    while let Ok(Some(row)) = found.next() {
        if let Ok(flow) = row.get::<_, String>(0) {
            image.entry(flow).or_default();
        }
    }
}
