//! The delivery streams and what they hold.
//!
//! Invariant: every operation on an unknown name answers ResourceNotFoundException; names are never made up.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::tags::Tags;
use crate::aws_error::AwsError;

/// Longest name that Firehose takes.
const MAX_NAME_BYTES: usize = 64;

/// Delivery streams by name.
#[derive(Debug, Default)]
pub(super) struct DeliveryStreams(Mutex<BTreeMap<String, DeliveryStream>>);

/// One delivery stream.
#[derive(Debug, Default)]
struct DeliveryStream {
    records: Vec<Bytes>,
    tags: Tags,
}

impl DeliveryStreams {
    pub(super) fn create(&self, name: &str, tags: Tags) -> Result<(), AwsError> {
        check_name(name)?;
        let mut streams = self.lock();
        if streams.contains_key(name) {
            return Err(AwsError::new(
                400,
                "ResourceInUseException",
                format!("Firehose {name} already exists."),
            ));
        }
        streams.insert(name.to_owned(), DeliveryStream { records: Vec::new(), tags });
        Ok(())
    }

    pub(super) fn delete(&self, name: &str) -> Result<(), AwsError> {
        self.lock().remove(name).map(drop).ok_or_else(|| unknown(name))
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    pub(super) fn check_exists(&self, name: &str) -> Result<(), AwsError> {
        if self.lock().contains_key(name) { Ok(()) } else { Err(unknown(name)) }
    }

    pub(super) fn store(&self, name: &str, records: impl IntoIterator<Item = Bytes>) -> Result<(), AwsError> {
        self.lock().get_mut(name).ok_or_else(|| unknown(name))?.records.extend(records);
        Ok(())
    }

    pub(super) fn delivered(&self, name: &str) -> Option<Vec<Bytes>> {
        self.lock().get(name).map(|stream| stream.records.clone())
    }

    /// Does something with the tags of a delivery stream.
    pub(super) fn with_tags<R>(
        &self,
        name: &str,
        act: impl FnOnce(&mut Tags) -> Result<R, AwsError>,
    ) -> Result<R, AwsError> {
        act(&mut self.lock().get_mut(name).ok_or_else(|| unknown(name))?.tags)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, DeliveryStream>> {
        // Every change is one insertion, removal or extension.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_name(name: &str) -> Result<(), AwsError> {
    let lawful = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.bytes().all(lawful) {
        return Err(AwsError::invalid_argument(format!(
            "`{name}` is no name of a delivery stream: 1 to {MAX_NAME_BYTES} of a-z, A-Z, 0-9, _, . and -"
        )));
    }
    Ok(())
}

fn unknown(name: &str) -> AwsError {
    AwsError::not_found(format!("Firehose {name} not found."))
}
