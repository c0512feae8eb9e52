//! A model of the line to the service: how fast it is, and so how much may be in flight.
//!
//! The model is BBR's, with calls in place of packets. Each answer is a sample of the delivery rate: the bytes that were
//! delivered from when the call left to when its answer came, over the time that this took. The maximum of the recent
//! samples is the line's rate. About two seconds of it are in flight, in two calls or more, so that a slow line is always
//! busy and no call takes long, and a fast one is no limit after a round trip or two. Calls have different sizes and, where
//! the line is full, start one after the other: otherwise all requests would travel at one time and all answers at
//! another. An unknown line gets little. A call that timed out halves what is believed.
//!
//! All bytes are estimates of what travels: base64, keys and names, or the answer where that is larger.
//!
//! Invariant: with nothing in flight a call may start, of one entry at least, however slow the line.

mod rate;

use std::time::Duration;

use self::rate::RecentMaximum;
use crate::types::Moment;

/// In flight on a line of which nothing is known.
const FIRST_WINDOW: usize = 64 * 1024;

/// The least to which time-outs bring that.
const LEAST_WINDOW: usize = 4 * 1024;

/// The size to which calls are not cut, if four of them fit into the window.
const LEAST_CALL: usize = 16 * 1024;

/// How much faster than the measured rate calls may start on a full line, so that a faster line is noticed.
const PACE: f64 = 1.5;

/// What an unknown line is expected to carry at least, in bytes a second.
const FIRST_RATE: f64 = 12_000.0;

/// The least to which time-outs bring that.
const LEAST_RATE: f64 = 3_000.0;

/// How much of the line is in flight, besides its latency.
const IN_FLIGHT: Duration = Duration::from_secs(2);

/// How much slower than measured a call may be: several share the line, and it is not always the same.
const PATIENCE: f64 = 3.0;

/// A rate that grows by less in a round is that of a full line.
const GROWTH: f64 = 1.25;

/// The part by which a longer latency is believed with each answer; a shorter one is believed at once.
const FORGETTING: u32 = 16;

/// The line to the service, as one stream sees it.
#[derive(Debug)]
pub(crate) struct Line {
    in_flight: usize,
    /// What may be in flight.
    window: usize,
    /// What may be in flight however low the rate: it was often measured with too little in flight.
    least_window: usize,
    /// What the line is expected to carry at least, in bytes a second.
    expected: f64,
    rate: RecentMaximum,
    /// Whether the rate was measured with a full window; otherwise the line may be faster.
    was_full: bool,
    /// Time of a call that transmission does not explain.
    latency: Duration,
    delivered: u64,
    delivered_at: Moment,
    /// When the call left that was answered last.
    answered_sent_at: Moment,
    /// The rate when the window was last set, and when that was.
    round: (f64, Moment),
    /// Whether more in flight was not carried faster when the window was last full.
    is_full: bool,
    /// When the next call may start on a full line.
    paced_until: Moment,
    cut_at: Moment,
}

/// What is noted of a call when it leaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    bytes: usize,
    at: Moment,
    /// In flight, this call included.
    in_flight: usize,
    delivered: u64,
    delivered_at: Moment,
    answered_sent_at: Moment,
    /// Whether the window was full with it.
    fills_window: bool,
}

impl Line {
    pub(crate) fn new() -> Self {
        Self {
            in_flight: 0,
            window: FIRST_WINDOW,
            least_window: FIRST_WINDOW,
            expected: FIRST_RATE,
            rate: RecentMaximum::default(),
            was_full: false,
            latency: Duration::ZERO,
            delivered: 0,
            delivered_at: Moment::ORIGIN,
            answered_sent_at: Moment::ORIGIN,
            round: (0.0, Moment::ORIGIN),
            is_full: false,
            paced_until: Moment::ORIGIN,
            cut_at: Moment::ORIGIN,
        }
    }

    /// Whether another call may start, as far as what is in flight is concerned.
    pub(crate) fn has_room(&self) -> bool {
        self.in_flight == 0 || self.in_flight + self.least_call() <= self.window
    }

    /// When another call may start, if there is room.
    pub(crate) fn paced_until(&self) -> Moment {
        if self.in_flight == 0 { Moment::ORIGIN } else { self.paced_until }
    }

    /// The most bytes of the next call, unless it has one entry.
    pub(crate) fn call_bytes(&self) -> usize {
        if self.rate.get().is_none() {
            return self.window;
        }
        let free = self.window.saturating_sub(self.in_flight);
        (free / 2).max(self.least_call()).min(self.window / 2)
    }

    /// The size below which calls do not get: the window would be full of ever smaller ones.
    fn least_call(&self) -> usize {
        (self.window / 8).max(LEAST_CALL.min(self.window / 4))
    }

    /// Bytes a second; `None` while it is not known.
    pub(crate) fn rate(&self) -> Option<f64> {
        self.rate.get()
    }

    /// How long what is in flight may take to be carried.
    pub(crate) fn transfer_time(&self) -> Duration {
        let rate = match self.rate.get() {
            Some(rate) if self.was_full => rate / PATIENCE,
            Some(rate) => self.expected.max(rate / PATIENCE),
            None => self.expected,
        };
        Duration::from_secs_f64(self.in_flight as f64 / rate)
    }

    /// A call leaves.
    pub(crate) fn send(&mut self, bytes: usize, now: Moment) -> Sent {
        if self.in_flight == 0 {
            // The time in which nothing was there to deliver says nothing about the line.
            (self.delivered_at, self.answered_sent_at) = (now, now);
        }
        if let (true, Some(rate)) = (self.is_full, self.rate.get()) {
            self.paced_until = now.plus(Duration::from_secs_f64(bytes as f64 / (rate * PACE)));
        }
        self.in_flight += bytes;
        Sent {
            bytes,
            at: now,
            in_flight: self.in_flight,
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            answered_sent_at: self.answered_sent_at,
            fills_window: !self.has_room(),
        }
    }

    /// A call is not in flight any more, whatever came of it. To be called before what came of it.
    pub(crate) fn land(&mut self, sent: &Sent) {
        self.in_flight = self.in_flight.saturating_sub(sent.bytes);
    }

    /// A call was carried out.
    pub(crate) fn deliver(&mut self, sent: &Sent, now: Moment) {
        self.delivered += sent.bytes as u64;
        self.delivered_at = now;
        self.answered_sent_at = self.answered_sent_at.max(sent.at);
        if sent.at < self.cut_at {
            return; // of the line as it was
        }
        // Calls that left in a burst may be answered in one: the slower of the two tells the line's rate.
        let interval = now.since(sent.delivered_at).max(sent.at.since(sent.answered_sent_at));
        let rate = per_second(self.delivered - sent.delivered, interval);
        let rate = self.rate.note(rate, sent.fills_window, now.since(sent.at), now);
        self.was_full |= sent.fills_window;
        self.note_latency(sent, rate, now);
        self.set_window(sent, rate, now);
    }

    fn note_latency(&mut self, sent: &Sent, rate: f64, now: Moment) {
        let transmission = Duration::from_secs_f64(sent.in_flight as f64 / rate);
        let latency = now.since(sent.at).saturating_sub(transmission);
        self.latency = match latency.checked_sub(self.latency) {
            Some(longer) => self.latency + longer / FORGETTING,
            None => latency,
        };
    }

    fn set_window(&mut self, sent: &Sent, rate: f64, now: Moment) {
        self.expected = self.expected.max(rate.min(FIRST_RATE));
        let carried = rate * IN_FLIGHT.as_secs_f64();
        self.least_window = self.least_window.max((carried as usize).min(FIRST_WINDOW));
        let target = (rate * (IN_FLIGHT + self.latency).as_secs_f64()) as usize;
        let target = target.max(self.least_window);
        let (rate_before, set_at) = self.round;
        if !sent.fills_window {
            // Little was to be sent, which is no reason to send less.
            self.window = self.window.max(target);
        } else if sent.at >= set_at {
            // As long as more in flight is carried faster, latency was the limit and not the line.
            let is_growing = rate >= rate_before * GROWTH;
            self.window = if is_growing { target.max(self.window.saturating_mul(2)) } else { target };
            self.round = (rate, now);
            self.is_full = !is_growing;
        }
    }

    /// A call timed out. To be called after [`Line::land`].
    pub(crate) fn time_out(&mut self, sent: &Sent, now: Moment) {
        if sent.at < self.cut_at {
            return; // calls that left before the last cut are the same trouble
        }
        self.cut_at = now;
        let delivered = self.delivered - sent.delivered;
        // No more than this was carried, or the call would have been.
        let most = per_second(delivered + (self.in_flight + sent.bytes) as u64, now.since(sent.at));
        let halved = self.rate.get().map(|rate| most.min(rate / 2.0)).filter(|rate| *rate > self.expected);
        // If nothing was delivered in all that time, what was known of the line is no good any more.
        let rate = halved.filter(|_| delivered > 0);
        self.rate.reset(rate, now);
        self.was_full &= rate.is_some();
        self.expected = (self.expected / 2.0).max(LEAST_RATE);
        self.least_window = (self.least_window / 2).max(LEAST_WINDOW);
        let carried = rate.map_or(0, |rate| (rate * IN_FLIGHT.as_secs_f64()) as usize);
        self.window = carried.min(self.window / 2).max(self.least_window);
        self.round = (rate.unwrap_or_default(), now);
        (self.is_full, self.paced_until) = (false, Moment::ORIGIN);
    }

    /// Nothing is in flight any more.
    pub(crate) fn land_all(&mut self) {
        self.in_flight = 0;
    }
}

fn per_second(bytes: u64, time: Duration) -> f64 {
    bytes as f64 / time.max(Duration::from_micros(1)).as_secs_f64()
}

#[cfg(test)]
mod tests;
