//! Which shards may be read now: those whose parents were read to their end.
//!
//! Invariant: every shard is handed out once, and never before a parent that is in the list. A parent that is not (its
//! records are older than the stream keeps them) holds nobody up.

use std::collections::{HashMap, HashSet};

use kpl::{HashKeyRange, ShardId};

/// A shard as ListShards tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedShard {
    pub(super) shard: ShardId,
    /// None for an original shard, one after a split, two after a merge.
    pub(super) parents: Vec<ShardId>,
    pub(super) range: Option<HashKeyRange>,
}

/// The shards of one stream.
#[derive(Debug, Default)]
pub(super) struct ShardLineage {
    waiting: Vec<ListedShard>,
    known: HashMap<ShardId, Progress>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Unfinished,
    Finished,
}

impl ShardLineage {
    /// Takes a list; shards that are known already stay as they are.
    pub(super) fn add(&mut self, shards: impl Iterator<Item = ListedShard>) {
        for listed in shards {
            if !self.known.contains_key(&listed.shard) {
                self.known.insert(listed.shard.clone(), Progress::Unfinished);
                self.waiting.push(listed);
            }
        }
    }

    /// A shard was read to its end.
    pub(super) fn finish(&mut self, shard: &ShardId) {
        self.known.insert(shard.clone(), Progress::Finished);
    }

    /// Hands out the shards that may be read now, in the order of the list.
    pub(super) fn take_ready(&mut self) -> Vec<(ShardId, Option<HashKeyRange>)> {
        let unfinished: HashSet<&ShardId> = self
            .known
            .iter()
            .filter(|(_, progress)| **progress == Progress::Unfinished)
            .map(|(id, _)| id)
            .collect();
        let is_ready =
            |listed: &mut ListedShard| !listed.parents.iter().any(|parent| unfinished.contains(parent));
        let ready = self.waiting.extract_if(.., is_ready);
        ready.map(|listed| (listed.shard, listed.range)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(id: &str, parents: &[&str]) -> ListedShard {
        let parents = parents.iter().map(|parent| ShardId::from(*parent)).collect();
        ListedShard { shard: id.into(), parents, range: None }
    }

    fn ready(lineage: &mut ShardLineage) -> Vec<String> {
        lineage.take_ready().into_iter().map(|(shard, _)| shard.as_str().to_owned()).collect()
    }

    #[test]
    fn children_wait_for_their_parents() {
        let mut lineage = ShardLineage::default();
        // b was split into c and d, then a and c were merged into e; the list is in no order.
        let shards = [("e", &["a", "c"][..]), ("c", &["b"]), ("a", &[]), ("b", &["trimmed"]), ("d", &["b"])];
        lineage.add(shards.into_iter().map(|(id, parents)| listed(id, parents)));
        assert_eq!(ready(&mut lineage), ["a", "b"]);
        assert!(ready(&mut lineage).is_empty());
        lineage.finish(&"b".into());
        assert_eq!(ready(&mut lineage), ["c", "d"]);
        lineage.finish(&"c".into());
        assert!(ready(&mut lineage).is_empty());
        lineage.finish(&"a".into());
        assert_eq!(ready(&mut lineage), ["e"]);
    }

    #[test]
    fn a_shard_that_is_listed_again_is_not_read_again() {
        let mut lineage = ShardLineage::default();
        lineage.add([listed("a", &[])].into_iter());
        assert_eq!(ready(&mut lineage), ["a"]);
        lineage.finish(&"a".into());
        lineage.add([listed("a", &[]), listed("b", &["a"])].into_iter());
        assert_eq!(ready(&mut lineage), ["b"]);
    }
}
