//! The resolved options about the ids by which a reader of the stream recognises a record that it has seen before.
//!
//! Invariant: a field's name is not empty, and tags are asked for only where the destination's readers know them.

/// Where a record's id stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum DedupIds {
    /// NONE: records have no ids. The default.
    #[default]
    None,
    /// TAG: in the aggregate's tag, where `kpl` decodes it. Streams only.
    Tag,
    /// FIELD: as a member of this name in the JSON object that the record is; 1 to 255 bytes.
    Field(String),
}
