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

    /// Remembers what either ring holds. If that is too much, the oldest of both go first.
    pub(super) fn join(&mut self, other: &Self) {
        let mine: Vec<DedupId> = self.newest_first().cloned().collect();
        let mut theirs = other.newest_first();
        let mut newest_first = Vec::with_capacity(mine.len() + other.ids.len());
        for id in &mine {
            newest_first.push(id);
            newest_first.extend(theirs.next());
        }
        newest_first.extend(theirs);
        let mut joined = Self::new(self.most);
        for id in newest_first.into_iter().rev() {
            joined.note(id);
        }
        *self = joined;
    }

    fn newest_first(&self) -> impl Iterator<Item = &DedupId> {
        let (newer, older) = self.ids.split_at(self.next as usize);
        newer.iter().rev().chain(older.iter().rev())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    #[test]
    fn a_joined_ring_forgets_the_oldest_of_both() {
        let ring = |texts: &[&str]| {
            let mut ring = IdRing::new(4);
            for text in texts {
                ring.note(&DedupId::new(text).expect("valid"));
            }
            ring
        };
        let mut joined = ring(&["a1", "a2", "a3", "a4", "a5"]);
        joined.join(&ring(&["b1", "b2", "b3"]));
        let kept: Vec<_> = joined.newest_first().map(DedupId::as_str).collect();
        assert_eq!(kept, ["a5", "b3", "a4", "b2"]);
        let mut short = ring(&["c1"]);
        short.join(&ring(&["c1", "d1", "d2"]));
        assert!(["c1", "d1", "d2"].iter().all(|text| !short.note(&DedupId::new(text).expect("valid"))));
    }

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
