//! Several budgets over one: what each may hold, and who is woken when.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use proptest::prelude::*;

use super::*;
use crate::core::room::Claim;
use crate::driver::Closed;
use crate::permits::{Account, Budget, Copies, Full, Refused};

const TOTAL: usize = 1000;

/// Hears how often it was woken.
#[derive(Debug, Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A caller that waits for room.
struct Caller {
    cost: u32,
    bell: Arc<Bell>,
    future: Pin<Box<dyn Future<Output = Result<(), Closed>>>>,
}

impl Caller {
    fn new(budget: &Arc<Account>, cost: u32) -> Self {
        let budget = Arc::clone(budget);
        let future = Box::pin(async move { take(&budget, cost).await });
        Self { cost, bell: Arc::default(), future }
    }

    fn poll(&mut self) -> bool {
        self.bell.0.store(0, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&self.bell));
        self.future.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Ready(Ok(()))
    }

    fn is_woken(&self) -> bool {
        self.bell.0.load(Ordering::Relaxed) > 0
    }
}

fn try_take(account: &Account, cost: u32) -> Result<(), Full> {
    account.take_now(cost, Claim::UNPLACED, None)
}

async fn take(account: &Account, cost: u32) -> Result<(), Closed> {
    let take = |changed: &Arc<Notify>| account.take_now(cost, Claim::UNPLACED, Some(changed));
    account.wait(None, |changed| take(changed).map_err(Refused::Full)).await
}

fn budgets(producers: usize, max_bytes: usize) -> (Vec<Arc<Account>>, Arc<Common>) {
    let parts = BudgetPart::split(TOTAL, producers);
    let common = Arc::clone(&parts[0].common);
    (
        parts
            .into_iter()
            .map(|part| Arc::new(Arc::new(Budget::new(max_bytes, 10_000, part)).account()))
            .collect(),
        common,
    )
}

/// Takes single bytes until there is no more room; answers how many.
fn fill(budget: &Account) -> usize {
    std::iter::repeat_with(|| try_take(budget, 1)).take_while(Result::is_ok).count()
}

#[test]
fn who_is_stuck_leaves_as_much_as_it_borrows() {
    let (budgets, common) = budgets(4, TOTAL);
    // 125 are each one's own; of the 500 that are common each may have half of what the others left.
    let held: Vec<_> = budgets.iter().map(|budget| fill(budget)).collect();
    assert_eq!(held, [125 + 250, 125 + 125, 125 + 62, 125 + 31]);
    budgets[0].give_back(375, 375);
    assert_eq!(fill(&budgets[3]), 125, "of what the first gave back, until as much is left");
    for (budget, held) in budgets.iter().zip([0, 250, 187, 281]) {
        assert_eq!(budget.outstanding(), (held, held));
        budget.give_back(held, held);
    }
    assert_eq!(common.lock().lent, 0);
}

#[test]
fn ones_own_part_is_there_whatever_the_others_hold() {
    let (budgets, _) = budgets(100, TOTAL);
    let _copies: Vec<_> = budgets[..99].iter().map(|budget| budget.copies(TOTAL)).collect();
    assert_eq!(fill(&budgets[99]), 5);
    assert!(try_take(&budgets[98], 5000).is_ok(), "one record passes, be it larger than all");
    assert_eq!(fill(&budgets[99]), 0);
}

#[test]
fn the_configured_limit_stays() {
    let (budgets, _) = budgets(2, 300);
    assert_eq!(fill(&budgets[0]), 300);
}

#[test]
fn who_waits_hears_of_what_another_gives_back() {
    let (budgets, common) = budgets(2, TOTAL);
    let [stuck, other] = [&budgets[0], &budgets[1]];
    fill(stuck);
    fill(other);
    let mut caller = Caller::new(other, 50);
    assert!(!caller.poll());
    stuck.give_back(20, 20);
    assert!(!caller.is_woken(), "not enough for it");
    stuck.give_back(230, 230);
    assert!(caller.is_woken() && caller.poll());
    drop(caller);
    assert!(common.lock().waiting.is_empty());
}

#[test]
fn of_many_that_wait_those_are_woken_for_whom_there_is_room() {
    let (budgets, common) = budgets(50, TOTAL);
    for budget in &budgets {
        fill(budget);
    }
    let lent = common.lock().lent;
    let mut callers: Vec<_> = budgets[1..].iter().map(|budget| Caller::new(budget, 50)).collect();
    callers.iter_mut().for_each(|caller| assert!(!caller.poll()));
    let borrowed = budgets[0].outstanding().1;
    budgets[0].give_back(borrowed, borrowed);
    let (mut polls, mut served) = (0, 0);
    while let Some(caller) = callers.iter_mut().find(|caller| caller.is_woken()) {
        polls += 1;
        if caller.poll() {
            served += 1;
            caller.bell = Arc::default();
        }
    }
    assert!((1..10).contains(&served) && polls <= 2 * served, "{polls} looks for {served} served");
    assert!(common.lock().lent <= lent);
}

#[test]
fn who_was_woken_and_goes_away_wakes_the_next() {
    let (budgets, common) = budgets(3, TOTAL);
    for budget in &budgets {
        fill(budget);
    }
    let mut first = Caller::new(&budgets[1], 30);
    let mut second = Caller::new(&budgets[2], 30);
    assert!(!first.poll() && !second.poll());
    let held = budgets[0].outstanding().1;
    budgets[0].give_back(held, held);
    assert!(first.is_woken() && !second.is_woken());
    drop(first);
    assert!(second.is_woken() && second.poll());
    assert!(common.lock().waiting.is_empty());
}

/// One thing that happens to one producer.
#[derive(Debug, Clone, Copy)]
enum Event {
    Try(u32),
    Wait(u32),
    GiveBack,
    StopWaiting,
    Copy(usize),
    Answer,
}

fn event() -> impl Strategy<Value = Event> {
    let cost = prop_oneof![4 => 1..120_u32, 1 => 120..600_u32];
    prop_oneof![
        3 => cost.clone().prop_map(Event::Try),
        4 => cost.prop_map(Event::Wait),
        5 => Just(Event::GiveBack),
        1 => Just(Event::StopWaiting),
        1 => (1..200_usize).prop_map(Event::Copy),
        2 => Just(Event::Answer),
    ]
}

/// One producer's callers and what was taken.
struct Scene {
    budget: Arc<Account>,
    taken: Vec<u32>,
    callers: VecDeque<Caller>,
    copies: Vec<Copies>,
}

impl Scene {
    fn new(budget: Arc<Account>) -> Self {
        Self { budget, taken: Vec::new(), callers: VecDeque::new(), copies: Vec::new() }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Try(cost) => self.taken.extend(try_take(&self.budget, cost).map(|()| cost)),
            Event::Wait(cost) => {
                let mut caller = Caller::new(&self.budget, cost);
                match caller.poll() {
                    true => self.taken.push(cost),
                    false => self.callers.push_back(caller),
                }
            }
            Event::GiveBack => {
                if let Some(cost) = self.taken.pop() {
                    self.budget.give_back(cost as usize, 1);
                }
            }
            Event::StopWaiting => drop(self.callers.pop_front()),
            Event::Copy(bytes) => self.copies.push(self.budget.copies(bytes)),
            Event::Answer => drop(self.copies.pop()),
        }
    }

    /// Polls a caller that was woken, if there is one.
    fn run(&mut self) -> bool {
        let Some(place) = self.callers.iter().position(Caller::is_woken) else { return false };
        if self.callers[place].poll() {
            self.taken.extend(self.callers.remove(place).map(|caller| caller.cost));
        }
        true
    }
}

fn run_all(scenes: &mut [Scene]) {
    while scenes.iter_mut().any(Scene::run) {}
}

proptest! {
    /// Whatever happens in whatever order: the sum is bounded, the books are right, and nobody waits for room that is
    /// there.
    #[test]
    fn all_together_hold_no_more_and_nobody_is_forgotten(
        events in prop::collection::vec((0..5_usize, event()), 1..300),
    ) {
        let (budgets, common) = budgets(5, TOTAL);
        let mut scenes: Vec<_> = budgets.into_iter().map(Scene::new).collect();
        for (producer, event) in events {
            let may_copy = !matches!(event, Event::Copy(_));
            scenes[producer].happen(event);
            run_all(&mut scenes);
            let copies = scenes.iter().any(|scene| !scene.copies.is_empty());
            let all: usize = scenes.iter().flat_map(|scene| &scene.taken).map(|cost| *cost as usize).sum();
            let one_each = scenes.iter().map(|scene| scene.taken.iter().max().map_or(0, |cost| *cost as usize));
            prop_assert!(all <= TOTAL + one_each.sum::<usize>(), "{all} are held");
            if may_copy && !copies {
                let own = TOTAL / 2 / 5;
                let lent = scenes.iter().map(|scene| scene.budget.outstanding().1.saturating_sub(own));
                prop_assert_eq!(common.lock().lent, lent.sum::<usize>());
            }
            for scene in &scenes {
                // The first one's turn it is.
                if let Some(caller) = scene.callers.front() {
                    prop_assert!(try_take(&scene.budget, caller.cost).is_err(), "room, and nobody was told");
                }
            }
        }
        for scene in &mut scenes {
            scene.copies.clear();
        }
        run_all(&mut scenes);
        while scenes.iter().any(|scene| !scene.taken.is_empty()) {
            for scene in &mut scenes {
                scene.happen(Event::GiveBack);
            }
            run_all(&mut scenes);
        }
        prop_assert!(scenes.iter().all(|scene| scene.callers.is_empty()), "somebody waits for ever");
        let state = common.lock();
        prop_assert_eq!((state.lent, state.waiting.len()), (0, 0));
    }
}
