//! Numbers the records of one stream, in the order in which they are accepted.
//!
//! Invariant: a number is given once.

use crate::dedup_id::{NumberedId, NumberedText};

/// The next number of one stream of one producer.
#[derive(Debug)]
pub(crate) struct Numbering {
    producer: String,
    next: u64,
}

impl Numbering {
    pub(crate) fn new(producer: String) -> Self {
        Self { producer, next: 0 }
    }

    /// The next record's id.
    pub(crate) fn next(&mut self) -> NumberedText {
        let sequence = self.next;
        self.next += 1;
        NumberedId { producer: &self.producer, sequence }.text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_from_zero() {
        let mut numbering = Numbering::new("p.1".to_owned());
        let texts: Vec<_> = (0..37).map(|_| numbering.next().as_str().to_owned()).collect();
        assert_eq!((&*texts[0], &*texts[35], &*texts[36]), ("~p.1-0", "~p.1-z", "~p.1-10"));
    }
}
