//! The partition key of a record that owns its parts.
//!
//! Invariant: none of its own; its length is checked when a record is accepted.

use std::fmt;
use std::ops::Deref;

use smol_str::SmolStr;

/// A partition key: 1 to 256 characters of UTF-8 (Kinesis API reference, `PutRecordsRequestEntry`).
///
/// Up to 23 bytes stand in the value itself, longer ones behind a shared pointer: making a short key and cloning any
/// key allocates nothing. It reads as a `&str`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PartitionKey(SmolStr);

impl PartitionKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for PartitionKey {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for PartitionKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for PartitionKey {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<&String> for PartitionKey {
    fn from(text: &String) -> Self {
        Self(text.as_str().into())
    }
}

impl From<String> for PartitionKey {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<std::sync::Arc<str>> for PartitionKey {
    fn from(text: std::sync::Arc<str>) -> Self {
        Self(text.into())
    }
}

impl From<PartitionKey> for String {
    fn from(key: PartitionKey) -> Self {
        key.0.into()
    }
}

impl PartialEq<str> for PartitionKey {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for PartitionKey {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for PartitionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for PartitionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}
