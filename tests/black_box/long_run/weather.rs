//! What the service does in a round.

/// A weather.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weather {
    pub(super) name: &'static str,
    /// The sandbox's rules while lines are written.
    pub(super) rules: &'static [&'static str],
    /// Nothing gets through, for long.
    pub(super) is_outage: bool,
}

const fn weather(name: &'static str, rules: &'static [&'static str]) -> Weather {
    Weather { name, rules, is_outage: false }
}

impl Weather {
    /// Whether what was stored can stay without an answer, so that it has to be sent again.
    pub(super) fn loses_answers(self) -> bool {
        self.rules.iter().any(|rule| rule.starts_with("drop") || rule.starts_with("hang"))
    }
}

/// All of them.
pub(super) const WEATHERS: [Weather; 7] = [
    weather("none", &[]),
    weather("throttled entries", &["throttle:share=0.3"]),
    weather("failed entries", &["fail:share=0.2,op=PutRecords"]),
    weather("refused calls", &["error500:share=0.3,op=PutRecords"]),
    weather("calls without an answer", &["hang:share=0.05,op=PutRecords"]),
    weather("lost answers", &["drop-after:share=0.1,op=PutRecords"]),
    Weather { name: "an outage", rules: &["error500:op=PutRecords"], is_outage: true },
];
