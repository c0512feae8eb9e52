//! The budget: bounds, parts, and the order of callers.

use super::*;
use crate::driver::Closed;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The account of a producer's only stream.
fn account(max_bytes: usize, max_records: usize) -> Account {
    Arc::new(Budget::new(max_bytes, max_records, BudgetPart::unshared())).account()
}

fn try_take(account: &Account, cost: u32) -> Result<(), Full> {
    account.take_now(cost, Claim::UNPLACED, None)
}

async fn take(account: &Account, cost: u32) -> Result<(), Closed> {
    let take = |changed: &Arc<Notify>| account.take_now(cost, Claim::UNPLACED, Some(changed));
    account.wait(None, |changed| take(changed).map_err(Refused::Full)).await
}

#[test]
fn room_is_bounded_by_bytes_and_by_records() {
    let budget = account(100, 3);
    for (cost, taken) in [(60, true), (41, false), (40, true), (1, false)] {
        assert_eq!(try_take(&budget, cost).is_ok(), taken, "{cost} of 100 bytes");
    }
    budget.give_back(100, 2);
    for taken in [true, true, true, false] {
        assert_eq!(try_take(&budget, 1).is_ok(), taken, "a record of 3");
    }
    budget.give_back(3, 3);
    assert_eq!(budget.outstanding(), (0, 0));
}

#[test]
fn a_record_larger_than_the_budget_passes_alone() {
    let budget = account(100, 10);
    assert!(try_take(&budget, 1).is_ok() && try_take(&budget, 500).is_err());
    budget.give_back(1, 1);
    assert!(try_take(&budget, 500).is_ok() && try_take(&budget, 1).is_err());
}

#[test]
fn what_the_sdk_holds_leaves_less_room() {
    let budget = account(100, 10);
    assert!(try_take(&budget, 40).is_ok());
    let copies = budget.copies(50);
    assert!(try_take(&budget, 11).is_err() && try_take(&budget, 10).is_ok());
    drop(copies);
    assert!(try_take(&budget, 50).is_ok());
    assert_eq!(budget.outstanding(), (3, 100));
}

#[test]
fn room_that_was_taken_can_be_resized() {
    let budget = account(100, 2);
    assert!(try_take(&budget, 40).is_ok() && try_take(&budget, 30).is_ok());
    assert!(
        budget.resize(40, 70, Claim::UNPLACED).is_ok() && budget.resize(70, 71, Claim::UNPLACED).is_err()
    );
    assert!(budget.resize(70, 10, Claim::UNPLACED).is_ok());
    assert_eq!(budget.outstanding(), (2, 40));
}

#[test]
fn callers_that_wait_are_served_in_their_order() {
    let budget = account(100, 10);
    try_take(&budget, 90).expect("room");
    let mut context = Context::from_waker(Waker::noop());
    let mut large = pin!(take(&budget, 80));
    let mut small = pin!(take(&budget, 5));
    assert!(large.as_mut().poll(&mut context).is_pending());
    assert!(small.as_mut().poll(&mut context).is_pending(), "there is room, but another one's turn");
    budget.give_back(90, 1);
    assert!(small.as_mut().poll(&mut context).is_pending());
    assert_eq!(large.as_mut().poll(&mut context), Poll::Ready(Ok(())));
    assert_eq!(small.as_mut().poll(&mut context), Poll::Ready(Ok(())));
}

#[test]
fn who_stops_waiting_hands_the_turn_on() {
    let budget = account(100, 10);
    try_take(&budget, 100).expect("room");
    let mut context = Context::from_waker(Waker::noop());
    let mut second = pin!(take(&budget, 5));
    {
        let mut first = pin!(take(&budget, 80));
        assert!(first.as_mut().poll(&mut context).is_pending());
        assert!(second.as_mut().poll(&mut context).is_pending());
    }
    budget.give_back(100, 1);
    assert_eq!(second.as_mut().poll(&mut context), Poll::Ready(Ok(())));
    assert_eq!((budget.outstanding(), budget.listener.waiting.load(Ordering::Acquire)), ((1, 5), 0));
}

#[test]
fn who_is_told_why_not_stops_waiting() {
    let budget = account(100, 10);
    try_take(&budget, 100).expect("room");
    let mut context = Context::from_waker(Waker::noop());
    let closed = budget.wait(None, |_| Err::<(), _>(Refused::Closed));
    assert_eq!(pin!(closed).poll(&mut context), Poll::Ready(Err(Closed)));
}
