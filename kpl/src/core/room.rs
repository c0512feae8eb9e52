//! Room in the budget: bytes and records, and what a record asks for.
//!
//! Invariant: sums and differences saturate, so that no bound can be passed by overflow.

/// Bytes and records. What is said of two rooms holds for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Room {
    pub(crate) bytes: usize,
    pub(crate) records: usize,
}

/// What a record asks for, by what the records of its lane hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Its lane's part, of which the lane holds `after` with this record.
    Part { after: Room },
    /// More than its lane's part: so much is to be left for the other lanes of its stream.
    Common { left_for_others: Room },
    /// More than its lane's part, but the lane holds nothing.
    Alone,
}

impl Claim {
    /// What is asked for without knowing the lane.
    pub(crate) const UNPLACED: Self = Self::Common { left_for_others: Room::NONE };

    /// What is to be left for the other lanes.
    pub(crate) fn left_for_others(self) -> Room {
        match self {
            Self::Common { left_for_others } => left_for_others,
            Self::Part { .. } | Self::Alone => Room::NONE,
        }
    }
}

impl Room {
    pub(crate) const NONE: Self = Self { bytes: 0, records: 0 };

    /// Room for one record that costs so many bytes.
    pub(crate) fn of_record(cost: u32) -> Self {
        Self { bytes: cost as usize, records: 1 }
    }

    /// Room for bytes alone.
    pub(crate) fn of_bytes(bytes: usize) -> Self {
        Self { bytes, records: 0 }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        self.joined(other, usize::saturating_add)
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        self.joined(other, usize::saturating_sub)
    }

    /// The larger number of bytes, and of records.
    pub(crate) fn max(self, other: Self) -> Self {
        self.joined(other, Ord::max)
    }

    pub(crate) fn fits(self, bound: Self) -> bool {
        self.bytes <= bound.bytes && self.records <= bound.records
    }

    /// One of so many equal parts, one record at least.
    pub(crate) fn divided(self, parts: usize) -> Self {
        let parts = parts.max(1);
        Self { bytes: self.bytes / parts, records: (self.records / parts).max(1) }
    }

    fn joined(self, other: Self, join: impl Fn(usize, usize) -> usize) -> Self {
        Self { bytes: join(self.bytes, other.bytes), records: join(self.records, other.records) }
    }
}
