//! How the flows of an agent share its descriptors.
//!
//! Each flow may hold its share of the limit whatever the others do. A flow that holds more gives back while the agent
//! is above the limit: an eighth more than it has to, so that this is not decided anew for every file.
//!
//! Invariant: when every flow has given back what it was told to, no more than the limit are held, as far as files may
//! be closed at all.

/// The part of the limit that is kept free when descriptors are given back.
const SPARE: usize = 8;

/// How many descriptors a flow is to give back that holds `own`, while `all` flows together hold so many.
#[must_use]
pub fn surplus(own: usize, all: usize, limit: usize, flows: usize) -> usize {
    if all <= limit {
        return 0;
    }
    let kept = limit - limit / SPARE;
    let share = kept / flows.max(1);
    (all - kept).min(own.saturating_sub(share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn surpluses() {
        for (own, all, limit, flows, given_back) in [
            (10, 10, 16, 1, 0),
            (16, 16, 16, 1, 0),
            (17, 17, 16, 1, 3),
            (7, 17, 16, 2, 0),
            (10, 17, 16, 2, 3),
            (100, 200, 16, 2, 93),
            (1, 2, 1, 1, 0),
            (2, 2, 1, 1, 1),
            (1, 200, 100, 200, 1),
        ] {
            assert_eq!(surplus(own, all, limit, flows), given_back, "{own} {all} {limit} {flows}");
        }
    }

    proptest! {
        #[test]
        fn one_after_the_other_brings_all_below_the_limit(
            mut held in proptest::collection::vec(0..500_usize, 1..50),
            limit in 1..2_000_usize,
        ) {
            for flow in 0..held.len() {
                let all = held.iter().sum();
                held[flow] -= surplus(held[flow], all, limit, held.len());
            }
            prop_assert!(held.iter().sum::<usize>() <= limit);
        }
    }
}
