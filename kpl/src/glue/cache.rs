//! What is known of schemas: a bounded memory, in which each schema has one slot that all its records share.
//!
//! Invariant: there are never more slots than the bound; of two askers for one schema both get the same slot, as long as
//! it is fresh.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::glue::schema::Schema;
use crate::types::Moment;

/// The slots.
#[derive(Debug)]
pub(crate) struct Cache<S> {
    slots: HashMap<Schema, Kept<S>>,
    bound: usize,
    time_to_live: Duration,
    uses: u64,
}

#[derive(Debug)]
struct Kept<S> {
    slot: Arc<S>,
    since: Moment,
    last_used: u64,
}

impl<S> Cache<S> {
    pub(crate) fn new(bound: usize, time_to_live: Duration) -> Self {
        Self { slots: HashMap::new(), bound: bound.max(1), time_to_live, uses: 0 }
    }

    /// The schema's slot; a fresh one is made from the one that is too old, if there is one.
    pub(crate) fn slot(
        &mut self,
        schema: &Schema,
        now: Moment,
        make: impl FnOnce(Option<&S>) -> S,
    ) -> Arc<S> {
        self.uses += 1;
        if let Some(kept) = self.slots.get_mut(schema) {
            kept.last_used = self.uses;
            if now.since(kept.since) >= self.time_to_live {
                kept.slot = Arc::new(make(Some(kept.slot.as_ref())));
                kept.since = now;
            }
            return Arc::clone(&kept.slot);
        }
        if self.slots.len() >= self.bound {
            self.forget_least_used();
        }
        let slot = Arc::new(make(None));
        let kept = Kept { slot: Arc::clone(&slot), since: now, last_used: self.uses };
        self.slots.insert(schema.clone(), kept);
        slot
    }

    /// Forgets a slot from which nothing came, unless there is a newer one.
    pub(crate) fn forget(&mut self, schema: &Schema, slot: &Arc<S>) {
        if self.slots.get(schema).is_some_and(|kept| Arc::ptr_eq(&kept.slot, slot)) {
            self.slots.remove(schema);
        }
    }

    fn forget_least_used(&mut self) {
        let least =
            self.slots.iter().min_by_key(|(_, kept)| kept.last_used).map(|(schema, _)| schema.clone());
        if let Some(schema) = least {
            self.slots.remove(&schema);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glue::schema::DataFormat;

    fn schema(name: &str) -> Schema {
        Schema::new(DataFormat::Json, "{}", name).expect("valid")
    }

    fn at(seconds: u64) -> Moment {
        Moment::after_origin(Duration::from_secs(seconds))
    }

    /// Slots are numbered; a renewed one is a hundred more.
    fn ask(cache: &mut Cache<u32>, name: &str, now: u64, next: u32) -> u32 {
        *cache.slot(&schema(name), at(now), |old| old.map_or(next, |old| old + 100))
    }

    #[test]
    fn a_schema_keeps_its_slot_until_it_is_too_old() {
        let mut cache = Cache::new(10, Duration::from_secs(60));
        assert_eq!(ask(&mut cache, "a", 0, 1), 1);
        assert_eq!(ask(&mut cache, "a", 59, 2), 1);
        assert_eq!(ask(&mut cache, "a", 60, 3), 101, "made from the old one");
        assert_eq!(ask(&mut cache, "a", 119, 4), 101);
    }

    #[test]
    fn of_too_many_the_one_used_least_recently_goes() {
        let mut cache = Cache::new(2, Duration::from_secs(60));
        for (name, expected) in [("a", 1), ("b", 2), ("a", 1), ("c", 4), ("a", 1), ("b", 6)] {
            let next = cache.uses as u32 + 1;
            assert_eq!(ask(&mut cache, name, 0, next), expected, "{name}");
            assert!(cache.slots.len() <= 2);
        }
    }

    #[test]
    fn only_the_slot_that_failed_is_forgotten() {
        let mut cache = Cache::new(2, Duration::from_secs(60));
        let old = cache.slot(&schema("a"), at(0), |_| 1);
        let new = cache.slot(&schema("a"), at(60), |_| 2);
        cache.forget(&schema("a"), &old);
        assert_eq!(ask(&mut cache, "a", 61, 3), 2);
        cache.forget(&schema("a"), &new);
        assert_eq!(ask(&mut cache, "a", 61, 3), 3);
    }
}
