//! One file in a flow's hands: what it sends of it, when it says so, and where it would go on after a crash.

use std::sync::Arc;
use std::time::Duration;

use super::{Adoption, Flow, Next, Publish, Sight};
use crate::checkpoint::{FileCheckpoint, Probe};
use crate::config::{AgentConfig, FlowConfig};
use crate::source_file::{Kind, Listed, Search};
use crate::statistics::FlowStatistics;
use crate::types::{FileId, Moment, Node, RecordTag};

/// A flow with one file.
struct Bench {
    flow: Flow,
    file: FileId,
    statistics: Arc<FlowStatistics>,
    content: Vec<u8>,
    now: Moment,
    sent: Vec<(RecordTag, Vec<u8>)>,
    dead: Vec<(u64, u64)>,
    keys: Vec<String>,
    ids: Vec<Option<String>>,
}

fn config(more: &str) -> FlowConfig {
    let text = format!(r#"{{"flows":[{{"filePattern":"/log/a","kinesisStream":"s"{more}}}]}}"#);
    AgentConfig::parse(&text, "agent.json").expect("a lawful configuration").config.flows.remove(0)
}

fn sight(size: u64) -> Sight {
    Sight { size, modified: 1, links: 1 }
}

impl Bench {
    fn new(more: &str, checkpoints: Vec<FileCheckpoint>, content: &[u8]) -> Self {
        let statistics = Arc::new(FlowStatistics::default());
        let is_known = !checkpoints.is_empty();
        let mut flow = Flow::new(config(more), checkpoints, true, false, 1, Arc::clone(&statistics)).unwrap();
        let found = Listed {
            path: "/log/a".into(),
            node: Node { device: 1, inode: 1, birth: 0 },
            size: content.len() as u64,
            stored_size: content.len() as u64,
            modified: 0,
            kind: Kind::Followed,
        };
        let mut questions = flow.own_questions(&found);
        questions.extend(flow.questions(&found, |_, _| None));
        let answers: Vec<_> = questions
            .into_iter()
            .map(|question| {
                let wanted = question.fingerprint.wanted();
                let start = usize::try_from(wanted.marker_start).unwrap();
                let head = content[..wanted.head_length].to_vec();
                let marker = content[start..start + wanted.marker_length].to_vec();
                (question, Probe { head, marker })
            })
            .collect();
        let file = match flow.adopt(&found, &answers, Moment::ORIGIN) {
            Adoption::New(file) if !is_known => file,
            Adoption::Continued(file) if is_known => file,
            other => panic!("{other:?}"),
        };
        let now = Moment::ORIGIN;
        Self {
            flow,
            file,
            statistics,
            content: content.to_vec(),
            now,
            sent: vec![],
            dead: vec![],
            keys: vec![],
            ids: vec![],
        }
    }

    /// Looks at the file until there is nothing to do now.
    fn look(&mut self) {
        while self.flow.due(self.now).contains(&self.file) {
            match self.flow.looked(self.file, sight(self.content.len() as u64), self.now) {
                Next::Wait => {}
                Next::Drain => self.pump(),
                Next::Truncated(_) => panic!("nothing was truncated"),
                Next::Search(_) => panic!("only a read leads to a search"),
                Next::Compare(wanted) => {
                    let start = usize::try_from(wanted.marker_start).unwrap();
                    let probe = Probe {
                        head: self.content[..wanted.head_length].to_vec(),
                        marker: self.content[start..start + wanted.marker_length].to_vec(),
                    };
                    if self.flow.compared(self.file, &probe, self.now) == Next::Drain {
                        self.pump();
                    }
                }
                Next::Read { offset, length } => {
                    let start = usize::try_from(offset).unwrap();
                    let end = self.content.len().min(start + length);
                    *self.flow.read_buffer() = self.content[start..end].to_vec();
                    if let Next::Search(from) = self.flow.read(self.file, self.content.len() as u64, self.now)
                    {
                        self.search(usize::try_from(from).unwrap());
                    }
                    self.pump();
                }
            }
        }
    }

    fn search(&mut self, from: usize) {
        let size = self.content.len() as u64;
        let text = self.content[from..].iter().position(|byte| *byte != 0);
        let search = text.map_or(Search::Nuls(size), |text| Search::Text((from + text) as u64));
        self.flow.searched(self.file, search, size, self.now);
    }

    fn pump(&mut self) {
        self.flow.pump(
            self.file,
            0,
            |_| Duration::ZERO,
            |record| {
                self.keys.push(record.partition_key.to_owned());
                self.ids.push(record.dedup_id.map(str::to_owned));
                if record.is_over_limit {
                    self.dead.push((record.offset, record.length));
                    return Publish::DeadLettered;
                }
                self.sent.push((record.tag, record.data.to_vec()));
                Publish::Accepted
            },
        );
    }

    /// Lets time pass, looking whenever the flow wants to.
    fn pass(&mut self, time: Duration) {
        let end = self.now.plus(time);
        while self.flow.next_look() <= end {
            self.now = self.now.max(self.flow.next_look());
            self.look();
        }
        self.now = end;
    }

    fn append(&mut self, bytes: &str) {
        self.content.extend_from_slice(bytes.as_bytes());
    }

    fn texts(&self) -> Vec<String> {
        self.sent.iter().map(|(_, data)| String::from_utf8_lossy(data).into_owned()).collect()
    }

    /// Everything is acknowledged; answers the checkpoint.
    fn checkpoint(&mut self) -> FileCheckpoint {
        for (tag, _) in self.sent.clone() {
            self.flow.acknowledge(tag);
        }
        self.flow.checkpoints().0.remove(0)
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_record_of_several_lines_waits_for_its_lines() {
    let mut bench = Bench::new(r#","multiLineStartPattern":"E","multiLineTimeoutMillis":3000"#, vec![], b"");
    for piece in ["E1\n", " at", " x\n at", " y\n"] {
        bench.append(piece);
        bench.pass(2 * SECOND);
        assert_eq!(bench.texts(), Vec::<String>::new(), "after {piece:?}");
    }
    bench.pass(2 * SECOND);
    assert_eq!(bench.texts(), ["E1\n at x\n at y\n"], "nothing came for three seconds");
    bench.append("E2\n\tat z\nE3\n");
    bench.pass(SECOND);
    assert_eq!(bench.texts()[1..], ["E2\n\tat z\n"], "the next one begins");
    bench.append(" half a line");
    bench.pass(100 * SECOND);
    assert_eq!(bench.texts().len(), 2, "a line without its end holds the record");
    assert_eq!(bench.checkpoint().fingerprint.offset, 24, "E3 would be read again");
}

#[test]
fn without_the_wait_it_is_as_with_the_java_agent() {
    let mut bench = Bench::new(r#","multiLineStartPattern":"E","multiLineTimeoutMillis":0"#, vec![], b"");
    bench.append("E1\n at x\n");
    bench.pass(2 * SECOND);
    bench.append(" at y\n");
    bench.pass(2 * SECOND);
    assert_eq!(bench.texts(), ["E1\n at x\n", " at y\n"]);
}

#[test]
fn the_header_of_a_short_file_is_still_the_header_after_a_restart() {
    let more = r#","skipHeaderLines":2"#;
    let mut bench = Bench::new(more, vec![], b"one\n");
    bench.pass(SECOND);
    let saved = bench.checkpoint();
    let mut bench = Bench::new(more, vec![saved], b"one\ntwo\nthree\n");
    bench.pass(SECOND);
    assert_eq!(bench.texts(), ["three\n"]);
    assert_eq!(bench.checkpoint().fingerprint.offset, 14);
}

#[test]
fn footers_are_left_out_and_what_follows_is_sent() {
    let mut bench = Bench::new(r#","fileFooterPattern":"-- \\d+ rows""#, vec![], b"");
    bench.append("a\n  -- 1 rows\r\nb\n-- 2 rows --\n");
    bench.pass(SECOND);
    assert_eq!(bench.texts(), ["a\n", "b\n", "-- 2 rows --\n"]);
    assert_eq!(bench.checkpoint().fingerprint.offset, 30);
    assert_eq!((bench.statistics.footers_skipped.get(), bench.statistics.records_parsed.get()), (1, 4));
}

#[test]
fn an_over_long_line_is_split_with_marks() {
    let more = r#","recordOverLimitPolicy":"SPLIT","splitRecordContinuationMark":"->""#;
    let mut bench = Bench::new(more, vec![], b"");
    let line = "é".repeat(1_200_000) + "\n";
    bench.append(&line);
    bench.append("next\n");
    bench.pass(SECOND);
    let texts = bench.texts();
    assert_eq!(texts.len(), 4);
    let parts: String = texts[..3].iter().map(|part| part.strip_suffix("->").unwrap_or(part)).collect();
    assert!(parts == line && texts[1].ends_with("->") && !texts[2].ends_with("->"));
    assert!(texts.iter().all(|part| part.len() + 32 <= 1 << 20));
    assert_eq!((bench.statistics.record_parts.get(), bench.statistics.records_truncated.get()), (3, 0));
}

#[test]
fn an_over_long_line_goes_whole_to_the_dead_letters() {
    let mut bench = Bench::new(r#","recordOverLimitPolicy":"DEAD_LETTER""#, vec![], b"");
    bench.append("before\n");
    bench.append(&"x".repeat((5 << 20) + 9));
    bench.pass(SECOND);
    assert_eq!(bench.dead, [(7, 5 << 20)], "the first part; its line has not ended");
    assert_eq!(bench.checkpoint().fingerprint.offset, 7, "after a crash the line is taken up as a whole");
    bench.append("\nafter\n");
    bench.append(&("y".repeat(1 << 20) + "\n"));
    bench.pass(SECOND);
    assert_eq!(bench.dead[1..], [(7 + (5 << 20), 10), (23 + (5 << 20), (1 << 20) + 1)]);
    assert_eq!(bench.texts(), ["before\n", "after\n"]);
    assert_eq!(bench.checkpoint().fingerprint.offset, bench.content.len() as u64);
    assert_eq!(bench.statistics.records_dead_lettered.get(), 3);
}

#[test]
fn a_stopped_file_holds_its_checkpoint_and_is_left_alone() {
    let mut bench = Bench::new("", vec![], b"one\ntwo\nthree\n");
    bench.pass(SECOND);
    let place = bench.flow.whereabouts(bench.sent[1].0).expect("it has no outcome");
    assert_eq!((place.offset, place.length), (4, 4));
    bench.flow.acknowledge(bench.sent[0].0);
    bench.flow.stop_at(bench.sent[1].0);
    bench.flow.acknowledge(bench.sent[2].0);
    bench.append("four\n");
    bench.pass(100 * SECOND);
    assert_eq!(bench.texts().len(), 3, "nothing more is read");
    assert_eq!((bench.flow.outstanding(), bench.flow.awaited()), (1, 0));
    assert_eq!((bench.flow.next_look(), bench.flow.due(bench.now)), (Moment::NEVER, vec![]));
    bench.flow.listed(&[], bench.now);
    assert_eq!(bench.flow.give_up_finished(), []);
    assert_eq!(bench.flow.file(bench.file).map(|file| file.ledger.acknowledged()), Some(4));
    assert_eq!(bench.statistics.files_stopped.get(), 1);
}

#[test]
fn a_dead_letter_closes_its_span() {
    let mut bench = Bench::new("", vec![], b"one\ntwo\n");
    bench.pass(SECOND);
    bench.flow.dead_lettered(bench.sent[0].0);
    bench.flow.dead_lettered(bench.sent[0].0);
    bench.flow.acknowledge(bench.sent[1].0);
    assert_eq!(bench.flow.checkpoints().0[0].fingerprint.offset, 8);
    let counted = &bench.statistics;
    assert_eq!((counted.records_dead_lettered.get(), counted.records_acknowledged.get()), (1, 1));
}

#[test]
fn aggregated_records_share_random_keys_and_others_do_not() {
    let lines: String = (0..100).map(|number| format!("{number}\n")).collect();
    for (more, keys) in [
        ("", 100),
        (r#","aggregation":true"#, 7),
        (r#","aggregation":true,"partitionKeyOption":"DETERMINISTIC""#, 100),
    ] {
        let mut bench = Bench::new(more, vec![], lines.as_bytes());
        bench.look();
        assert_eq!(bench.keys.len(), 100);
        let distinct: std::collections::BTreeSet<_> = bench.keys.iter().collect();
        assert_eq!(distinct.len(), keys, "{more}");
    }
}

#[test]
fn a_pump_without_room_leaves_a_checkpoint_behind_its_last_record() {
    let content = b"one\ntwo\n";
    let mut bench = Bench::new("", vec![], content);
    let next = bench.flow.looked(bench.file, sight(8), bench.now);
    assert!(matches!(next, Next::Read { offset: 0, .. }), "{next:?}");
    *bench.flow.read_buffer() = content.to_vec();
    assert_eq!(bench.flow.read(bench.file, 8, bench.now), Next::Wait);
    let mut tags = Vec::new();
    let pumped = bench.flow.pump(
        bench.file,
        0,
        |_| Duration::ZERO,
        |record| {
            if !tags.is_empty() {
                return Publish::Full;
            }
            tags.push(record.tag);
            Publish::Accepted
        },
    );
    assert_eq!(pumped, super::Pumped::Blocked);
    bench.flow.acknowledge(tags[0]);
    assert_eq!(bench.checkpoint().fingerprint.offset, 4);
}

const TAG: &str = r#","dedupIds":"TAG""#;

/// The ids of records that begin at these places and are so long.
fn ids(saved: &FileCheckpoint, places: &[(u64, u64)]) -> Vec<Option<String>> {
    let origin = saved.origin.expect("it was sent");
    places.iter().map(|(offset, length)| Some(format!("{origin}-{offset}-{length}"))).collect()
}

#[test]
fn a_record_that_is_sent_again_has_its_id_again() {
    let content = b"one\ntwo\nthree\n";
    let mut bench = Bench::new(TAG, vec![], content);
    assert!(!bench.flow.name_origin(bench.file), "nothing is known of it");
    bench.pass(SECOND);
    bench.flow.acknowledge(bench.sent[0].0);
    let saved = bench.flow.checkpoints().0.remove(0);
    assert_eq!(bench.ids, ids(&saved, &[(0, 4), (4, 4), (8, 6)]));
    let mut again = Bench::new(TAG, vec![saved.clone()], content);
    again.pass(SECOND);
    // The landmark is at the end of the read.
    assert_eq!(again.ids, bench.ids);
    let of_version_2 = FileCheckpoint { origin: None, ..saved };
    let mut upgraded = Bench::new(TAG, vec![of_version_2], content);
    upgraded.pass(SECOND);
    assert_eq!(upgraded.ids, bench.ids, "the origin is derived");
}

#[test]
fn an_origin_is_there_to_be_saved_before_the_first_record_leaves() {
    let mut bench = Bench::new(TAG, vec![], b"");
    for (piece, is_named) in [("on", false), ("e\ntwo\n", true), ("three\n", false)] {
        bench.append(piece);
        let place = bench.flow.file(bench.file).map_or(0, |file| file.fetched() - file.overlap() as u64);
        let size = bench.content.len() as u64;
        *bench.flow.read_buffer() = bench.content[usize::try_from(place).unwrap()..].to_vec();
        assert_eq!(bench.flow.read(bench.file, size, bench.now), Next::Wait);
        assert_eq!(bench.flow.name_origin(bench.file), is_named, "{piece}");
        let saved = bench.flow.checkpoints().0;
        let has_origin = saved.iter().any(|saved| saved.origin.is_some());
        assert_eq!(has_origin, piece != "on", "{piece}");
        bench.pump();
    }
    let places = [(0, 4), (4, 4), (8, 6)];
    let saved = bench.checkpoint();
    assert_eq!(bench.ids, ids(&saved, &places));
}

#[test]
fn the_limit_counts_the_tag() {
    let key = 32;
    for (more, records) in [("SPLIT", 3), ("TRUNCATE", 1)] {
        let more = format!(r#"{TAG},"recordOverLimitPolicy":"{more}""#);
        let mut bench = Bench::new(&more, vec![], b"");
        bench.append(&("x".repeat(2_200_000) + "\n"));
        bench.pass(SECOND);
        assert_eq!(bench.sent.len(), records);
        let ids: std::collections::BTreeSet<_> = bench.ids.iter().flatten().collect();
        assert_eq!(ids.len(), records, "each has its own");
        for ((_, data), id) in bench.sent.iter().zip(&bench.ids) {
            let id = id.as_ref().expect("each has one").len();
            assert!(data.len() + key + id + kpl::limits::DEDUP_FRAME_BYTES <= 1 << 20, "{more}");
        }
    }
}

#[test]
fn json_objects_carry_their_ids_in_a_member() {
    let more = r#","dedupIds":"FIELD","dedupIdField":"_id""#;
    let mut bench = Bench::new(more, vec![], b"{\"a\":1}\nplain\n{}\n");
    bench.pass(SECOND);
    assert_eq!(bench.ids, [None, None, None], "it stands in the data");
    assert_eq!(bench.statistics.records_without_id.get(), 1);
    let origin = bench.checkpoint().origin.expect("it was sent");
    let expected = [
        format!("{{\"a\":1,\"_id\":\"{origin}-0-8\"}}\n"),
        "plain\n".to_owned(),
        format!("{{\"_id\":\"{origin}-14-3\"}}\n"),
    ];
    assert_eq!(bench.texts(), expected);
}

#[test]
fn an_object_without_room_for_its_id_goes_without() {
    let more = r#","dedupIds":"FIELD","partitionKeyOption":"DETERMINISTIC""#;
    let room = (1 << 20) - 32 - r#","dedupId":"""#.len();
    for (bytes, has_id) in [(room - 40, true), (room - 20, false)] {
        let line = format!("{{\"a\":\"{}\"}}\n", "x".repeat(bytes - 9));
        let mut bench = Bench::new(more, vec![], b"");
        bench.append(&line);
        bench.pass(SECOND);
        let sent = &bench.texts()[0];
        assert_eq!((sent.contains("dedupId"), *sent == line), (has_id, !has_id), "{bytes}");
        assert_eq!(bench.statistics.records_without_id.get(), u64::from(!has_id));
        assert_eq!(bench.statistics.records_truncated.get(), 0);
    }
}

#[test]
fn nuls_within_an_over_long_line_are_no_hole() {
    let mut content = b"one\nabc".to_vec();
    content.resize(5 << 19, 0);
    let more = r#","recordOverLimitPolicy":"SPLIT","splitRecordContinuationMark":"->""#;
    let mut bench = Bench::new(more, vec![], &content);
    bench.pass(SECOND);
    for piece in ["\nline\n", "more\n"] {
        bench.append(piece);
        bench.pass(SECOND);
    }
    let bytes = bench.sent.iter().flat_map(|(_, data)| data.strip_suffix(b"->").unwrap_or(data)).copied();
    assert!(bytes.eq(bench.content.iter().copied()), "in parts, and nothing left out");
    let last: Vec<_> = bench.sent.iter().rev().take(2).map(|(_, data)| &data[..]).collect();
    assert_eq!(last, [&b"more\n"[..], b"line\n"]);
}
