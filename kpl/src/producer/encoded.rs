//! Records with a schema, encoded before the producer takes room for them.
//!
//! Invariant: a record without a schema passes untouched; one that could not be encoded goes back as it came.

use super::{Inner, SendError};
use crate::glue::GlueError;
use crate::user_record::UserRecord;

type Encoded = Result<UserRecord, SendError<UserRecord>>;

impl Inner {
    /// The record with its data encoded; waits for the registry if the schema's version is not known.
    pub(super) async fn encoded(&self, record: UserRecord) -> Encoded {
        let Some(schema) = &record.schema else { return Ok(record) };
        let encoded = match &self.serializer {
            Some(serializer) => serializer.encode(&record.stream, schema, &record.data).await,
            None => Err(GlueError::NoRegistry),
        };
        match encoded {
            Ok(data) => Ok(UserRecord { data, schema: None, ..record }),
            Err(error) => Err(SendError::Schema(record, Box::new(error))),
        }
    }

    /// The same without waiting.
    pub(super) fn encoded_now(&self, record: UserRecord) -> Encoded {
        let Some(schema) = &record.schema else { return Ok(record) };
        let encoded = match &self.serializer {
            Some(serializer) => serializer.encode_now(schema, &record.data),
            None => Err(GlueError::NoRegistry),
        };
        match encoded {
            Ok(data) => Ok(UserRecord { data, schema: None, ..record }),
            Err(error) => Err(SendError::Schema(record, Box::new(error))),
        }
    }
}
