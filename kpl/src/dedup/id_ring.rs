//! Ids that callers chose, whole, in the order in which they came.
//!
//! Invariant: the table holds exactly the places of the ids in the ring, and no id stands there twice.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher as _;

use crate::dedup_id::DedupId;

#[derive(Debug, Clone)]
pub(super) struct IdRing {
    most: u32,
    ids: Vec<DedupId>,
    /// Where the oldest id stands once the ring is full: the next place.
    next: u32,
    by_text: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl IdRing {
    pub(super) fn new(most: u32) -> Self {
        Self {
            most,
            ids: Vec::new(),
            next: 0,
            by_text: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// Whether `id` is new; it is remembered, at the cost of the oldest if there are too many.
    pub(super) fn note(&mut self, id: &DedupId) -> bool {
        let hash = self.hasher.hash_one(id);
        if self.by_text.find(hash, |&place| self.ids[place as usize] == *id).is_some() {
            return false;
        }
        let place = self.next;
        match self.ids.get(place as usize) {
            None => self.ids.push(id.clone()),
            Some(oldest) => {
                let hash = self.hasher.hash_one(oldest);
                if let Ok(entry) = self.by_text.find_entry(hash, |&other| other == place) {
                    entry.remove();
                }
                self.ids[place as usize] = id.clone();
            }
        }
        let Self { by_text, ids, hasher, .. } = self;
        by_text.insert_unique(hash, place, |&place| hasher.hash_one(&ids[place as usize]));
        self.next = (place + 1) % self.most;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    proptest! {
        #[test]
        fn agrees_with_a_queue(most in 1..20_u32, texts in proptest::collection::vec("[a-f]{1,2}", 0..300)) {
            let mut ring = IdRing::new(most);
            let mut queue = VecDeque::new();
            for text in texts {
                let is_new = !queue.contains(&text);
                prop_assert_eq!(ring.note(&DedupId::new(&text).expect("lawful")), is_new, "{}", text);
                if is_new {
                    queue.push_back(text);
                }
                if queue.len() > most as usize {
                    queue.pop_front();
                }
                prop_assert_eq!((ring.ids.len(), ring.by_text.len()), (queue.len(), queue.len()));
            }
        }
    }
}
