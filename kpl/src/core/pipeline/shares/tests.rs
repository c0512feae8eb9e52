//! Parts of lanes.

use proptest::prelude::*;

use super::*;
use crate::types::Moment;

const STREAM: Room = Room { bytes: 800, records: 80 };

fn lane(shard: u32) -> Option<ShardIndex> {
    Some(ShardIndex(shard))
}

fn member(cost: u32) -> Member<()> {
    Member { tag: (), arrival: Moment::ORIGIN, epoch: 0, cost, lane: None, history: None }
}

fn placed(shares: &mut Shares, shard: Option<ShardIndex>, cost: u32) -> Member<()> {
    let mut member = member(cost);
    shares.place(&mut member, shard);
    member
}

#[test]
fn a_lane_alone_asks_for_nothing_to_be_left() {
    let mut shares = Shares::default();
    let part = Claim::Part { after: Room::of_record(800) };
    assert_eq!(shares.claim(Lane(lane(1)), 800, STREAM), part);
    placed(&mut shares, lane(1), 800);
    let common = Claim::Common { left_for_others: Room::NONE };
    assert_eq!(shares.claim(Lane(lane(1)), 1, STREAM), common);
}

#[test]
fn beyond_its_part_a_lane_leaves_the_others_theirs() {
    let mut shares = Shares::default();
    shares.share(STREAM);
    for shard in 0..4 {
        placed(&mut shares, lane(shard), 50);
    }
    assert_eq!(
        shares.claim(Lane(lane(0)), 150, STREAM),
        Claim::Part { after: Room { bytes: 200, records: 2 } }
    );
    let left_for_others = Room { bytes: 3 * 150, records: 3 * 19 };
    assert_eq!(shares.claim(Lane(lane(0)), 151, STREAM), Claim::Common { left_for_others });
    // A fifth lane makes the parts smaller, and a record larger than its part goes alone.
    assert_eq!(shares.claim(Lane(None), 161, STREAM), Claim::Alone);
    assert_eq!(shares.unused(), Room { bytes: 4 * 110 + 160, records: 4 * 15 + 16 });
}

#[test]
fn a_member_counts_for_one_lane_and_moves_with_its_prediction() {
    let mut shares = Shares::default();
    shares.share(STREAM);
    let mut held = placed(&mut shares, None, 10);
    shares.place(&mut held, lane(3));
    shares.place(&mut held, lane(3));
    assert_eq!(shares.of_lane(Lane(None)).0, Room::NONE);
    assert_eq!(shares.of_lane(Lane(lane(3))).0, Room::of_record(10));
    assert_eq!(shares.fullest(), Some((Lane(lane(3)), Room::of_record(10))));
    shares.leave(&held);
    assert_eq!((shares.fullest(), shares.held), (None, Room::NONE));
}

#[test]
fn parts_follow_the_shards() {
    let mut shares = Shares::default();
    shares.share(STREAM);
    let before_the_map = placed(&mut shares, None, 10);
    let of_a_parent = placed(&mut shares, lane(0), 10);
    placed(&mut shares, lane(1), 10);
    shares.leave(&before_the_map);
    shares.shards_changed(|shard| shard.0 > 0);
    assert_eq!(shares.of_lane(Lane(lane(1))).1.bytes, 400, "the parent still holds something");
    shares.leave(&of_a_parent);
    assert_eq!(shares.of_lane(Lane(lane(1))).1.bytes, 800);
    placed(&mut shares, lane(2), 10);
    placed(&mut shares, lane(3), 10);
    assert_eq!(shares.of_lane(Lane(lane(1))).1.bytes, 800 / 3);
}

proptest! {
    #[test]
    fn sums_are_kept_over_any_life(
        events in prop::collection::vec((0..6u32, 0..5u32, 1..300u32), 1..300),
        parts in prop::collection::vec(0..2000usize, 3),
    ) {
        let mut shares = Shares::default();
        let mut members: Vec<Member<()>> = Vec::new();
        for (step, (what, shard, cost)) in events.into_iter().enumerate() {
            let shard = (shard > 0).then_some(ShardIndex(shard));
            match what {
                0 | 1 => members.push(placed(&mut shares, shard, cost)),
                2 => _ = shares.claim(Lane(shard), cost, Room { bytes: parts[step % 3], records: 7 }),
                3 if !members.is_empty() => {
                    let place = cost as usize % members.len();
                    shares.place(&mut members[place], shard);
                }
                4 if !members.is_empty() => shares.leave(&members.swap_remove(cost as usize % members.len())),
                5 if cost % 10 == 0 => shares.shards_changed(|open| Some(open) != shard),
                _ => {}
            }
            let held = members.iter().fold(Room::NONE, |sum, member| sum.plus(Room::of_record(member.cost)));
            prop_assert_eq!(shares.held, held);
            let (committed, lanes) = (shares.committed, shares.lanes_with_traffic);
            shares.divide();
            prop_assert_eq!(committed, shares.committed);
            let with_traffic = shares.lanes.iter().filter(|holding| holding.has_traffic).count();
            prop_assert_eq!(lanes, with_traffic);
        }
        members.iter().for_each(|member| shares.leave(member));
        shares.shards_changed(|_| true);
        prop_assert_eq!((shares.held, shares.unused(), shares.fullest()), (Room::NONE, Room::NONE, None));
    }
}
