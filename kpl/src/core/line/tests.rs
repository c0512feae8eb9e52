//! Lines of all speeds, in virtual time.

use std::collections::VecDeque;

use super::*;

/// A line that carries calls one after the other, each in the order in which it was sent, and answers after a latency.
struct Wire {
    bytes_per_second: f64,
    latency: Duration,
    now: Moment,
    free_at: Moment,
    in_flight: VecDeque<InFlight>,
    line: Line,
    timed_out: usize,
    carried: u64,
}

struct InFlight {
    sent: Sent,
    limit: Moment,
}

impl Wire {
    fn new(bytes_per_second: u32, latency: Duration) -> Self {
        Self {
            bytes_per_second: f64::from(bytes_per_second),
            latency,
            now: Moment::after_origin(Duration::from_secs(1)),
            free_at: Moment::ORIGIN,
            in_flight: VecDeque::new(),
            line: Line::new(),
            timed_out: 0,
            carried: 0,
        }
    }

    /// Starts a call of `bytes`.
    fn send(&mut self, bytes: usize) {
        let sent = self.line.send(bytes, self.now);
        let limit = self.now.plus(Duration::from_secs(6) + self.line.transfer_time());
        self.in_flight.push_back(InFlight { sent, limit });
    }

    /// When the first call in flight is carried, and when its answer is there.
    fn first_ends(&self) -> (Moment, Moment) {
        let Some(InFlight { sent, limit }) = self.in_flight.front() else {
            return (Moment::NEVER, Moment::NEVER);
        };
        let takes = Duration::from_secs_f64(sent.bytes as f64 / self.bytes_per_second);
        let carried_at = self.free_at.max(sent.at).plus(takes);
        (carried_at, carried_at.plus(self.latency).min(*limit))
    }

    /// Waits for the next answer, or for the time limit of a call.
    fn wait(&mut self) {
        let (carried_at, ends_at) = self.first_ends();
        let Some(InFlight { sent, limit }) = self.in_flight.pop_front() else { return };
        self.free_at = carried_at.min(limit.max(self.free_at));
        self.now = self.now.max(ends_at);
        self.line.land(&sent);
        if ends_at < limit {
            self.line.deliver(&sent, self.now);
            self.carried += sent.bytes as u64;
        } else {
            self.timed_out += 1;
            self.line.time_out(&sent, self.now);
        }
    }

    /// Waits until nothing is in flight.
    fn drain(&mut self) {
        while !self.in_flight.is_empty() {
            self.wait();
        }
    }

    /// Sends entries of `entry` bytes without a pause, for so long.
    fn saturate(&mut self, entry: usize, seconds: u64) {
        let end = self.now.plus(Duration::from_secs(seconds));
        while self.now < end {
            let starts_at = self.line.paced_until().max(self.now);
            if self.line.has_room() && starts_at < self.first_ends().1 {
                self.now = starts_at;
                self.send((self.line.call_bytes() / entry).max(1) * entry);
            } else {
                self.wait();
            }
        }
    }
}

#[test]
fn a_line_of_any_speed_is_busy_and_no_call_times_out() {
    for bytes_per_second in [5_000, 20_000, 40_000, 200_000, 900_000, 5_000_000, 100_000_000] {
        for latency_ms in [0, 20, 300, 1_000] {
            for entry in [200, 13_600, 68_400] {
                let mut wire = Wire::new(bytes_per_second, Duration::from_millis(latency_ms));
                wire.saturate(entry, 60);
                let (start, carried) = (wire.now, wire.carried);
                wire.saturate(entry, 60);
                let rate = (wire.carried - carried) as f64 / wire.now.since(start).as_secs_f64();
                let what = format!("{bytes_per_second} B/s, {latency_ms} ms, entries of {entry} bytes");
                // Of the slowest line a first call is expected too early.
                assert!(
                    wire.timed_out <= usize::from(bytes_per_second < 16_000) * 2,
                    "{what}: {}",
                    wire.timed_out
                );
                // One entry that takes longer than the latency has no company on the slowest lines.
                assert!(rate > f64::from(bytes_per_second) * 0.6, "{what}: carries {rate}");
                let measured = wire.line.rate().expect("it is known");
                let share = measured / f64::from(bytes_per_second);
                assert!((0.6..1.3).contains(&share), "{what}: measured {measured}");
            }
        }
    }
}

#[test]
fn a_service_that_answers_late_gets_more_calls_at_a_time() {
    for entry in [200, 13_600, 68_400] {
        let mut wire = Wire::new(2_000_000, Duration::from_secs(3));
        wire.saturate(entry, 60);
        let carried = wire.carried;
        wire.saturate(entry, 60);
        assert!(wire.carried - carried > 2_000_000 * 15, "{entry}: {}", wire.carried - carried);
        assert_eq!(wire.timed_out, 0, "{entry}");
    }
}

#[test]
fn no_more_than_some_seconds_of_a_slow_line_are_in_flight_in_two_calls() {
    let mut wire = Wire::new(100_000, Duration::from_millis(300));
    wire.saturate(1_000, 60);
    while wire.line.has_room() {
        wire.send((wire.line.call_bytes() / 1_000).max(1) * 1_000);
    }
    assert!((100_000..=300_000).contains(&wire.line.in_flight), "{}", wire.line.in_flight);
    assert!(wire.in_flight.len() >= 2);
}

#[test]
fn a_fast_line_is_no_limit_after_one_round_trip() {
    let mut wire = Wire::new(1_000_000_000, Duration::from_millis(50));
    assert_eq!(wire.line.call_bytes(), FIRST_WINDOW, "the first call on an unknown line is small");
    wire.send(FIRST_WINDOW);
    assert!(!wire.line.has_room());
    wire.wait();
    assert!(wire.line.call_bytes() > 1_000_000, "{}", wire.line.call_bytes());
    wire.saturate(100_000, 1);
    assert!(wire.line.call_bytes() > 10_000_000, "{}", wire.line.call_bytes());
}

#[test]
fn little_traffic_does_not_make_a_fast_line_slow() {
    let mut wire = Wire::new(50_000_000, Duration::from_millis(50));
    wire.saturate(100_000, 5);
    wire.drain();
    let (window, rate) = (wire.line.window, wire.line.rate());
    for _ in 0..600 {
        wire.now = wire.now.plus(Duration::from_secs(1));
        wire.send(300);
        wire.wait();
    }
    assert!(wire.line.window >= window, "{} of {window}", wire.line.window);
    assert_eq!(wire.line.rate(), rate);
}

#[test]
fn a_line_that_becomes_slow_is_found_out_with_few_time_outs() {
    for slow in [20_000, 100_000, 600_000] {
        let mut wire = Wire::new(5_000_000, Duration::from_millis(20));
        wire.saturate(10_000, 20);
        wire.bytes_per_second = f64::from(slow);
        wire.saturate(10_000, 120);
        let time_outs = wire.timed_out;
        assert!(time_outs <= 16, "{slow} B/s: {time_outs} time-outs");
        let carried = wire.carried;
        wire.saturate(10_000, 60);
        assert_eq!(wire.timed_out, time_outs, "{slow} B/s: it goes on timing out");
        assert!((wire.carried - carried) as f64 > f64::from(slow) * 50.0, "{slow} B/s");
    }
}

#[test]
fn a_line_that_becomes_fast_is_used() {
    let mut wire = Wire::new(20_000, Duration::from_millis(100));
    wire.saturate(10_000, 60);
    wire.bytes_per_second = 10_000_000.0;
    wire.saturate(10_000, 15);
    assert!(wire.line.rate() > Some(8_000_000.0), "{:?}", wire.line.rate());
}

#[test]
fn a_silent_service_is_noticed_in_six_to_twelve_seconds() {
    let limit = |wire: &Wire| 6.0 + wire.line.transfer_time().as_secs_f64();
    let mut unknown = Wire::new(20_000, Duration::ZERO);
    unknown.send(FIRST_WINDOW);
    assert!(limit(&unknown) < 12.0, "{}", limit(&unknown));
    let mut known = Wire::new(5_000_000, Duration::from_millis(20));
    known.saturate(50_000, 10);
    assert!(limit(&known) <= 12.2, "{}", limit(&known));
    known.in_flight.clear();
    known.line.land_all();
    known.send(2_000);
    assert!(limit(&known) < 6.1, "{}", limit(&known));
}

#[test]
fn time_outs_halve_calls_and_an_entry_that_cannot_be_halved_gets_more_time() {
    let mut wire = Wire::new(1, Duration::ZERO);
    let mut limits = Vec::new();
    for expected in [64, 32, 16, 8, 4, 4] {
        assert_eq!(wire.line.call_bytes(), expected * 1024);
        wire.send(68_000);
        limits.push(wire.line.transfer_time().as_secs());
        wire.wait();
    }
    assert_eq!(limits, [5, 11, 22, 22, 22, 22]);
    assert!(wire.line.has_room());
}

#[test]
fn after_an_outage_the_line_is_fast_again_at_once() {
    let mut wire = Wire::new(50_000_000, Duration::from_millis(20));
    wire.saturate(50_000, 10);
    wire.bytes_per_second = 0.01;
    wire.saturate(50_000, 60);
    assert!(wire.timed_out > 3, "no outage");
    (wire.bytes_per_second, wire.free_at) = (50_000_000.0, wire.now);
    wire.in_flight.clear();
    wire.line.land_all();
    wire.saturate(50_000, 1);
    assert!(wire.line.rate() > Some(10_000_000.0), "{:?}", wire.line.rate());
    assert!(wire.line.call_bytes() > 5_000_000, "{}", wire.line.call_bytes());
}

#[test]
fn time_outs_of_calls_that_left_together_count_once() {
    let mut line = Line::new();
    let now = Moment::after_origin(Duration::from_secs(1));
    let sent: Vec<Sent> = (0..8).map(|_| line.send(8_000, now)).collect();
    let later = now.plus(Duration::from_secs(10));
    for sent in sent {
        line.land(&sent);
        line.time_out(&sent, later);
    }
    assert_eq!(line.call_bytes(), FIRST_WINDOW / 2);
}
