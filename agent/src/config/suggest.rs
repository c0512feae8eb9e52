//! "Did you mean": the known name that a misspelt one is most likely meant to be.
//!
//! Invariant: a suggestion is offered only when it is near; a wrong suggestion is worse than none.

/// The candidate nearest to `wrong`, if one is near enough.
pub(super) fn nearest<'c>(wrong: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let wrong = normal_form(wrong);
    let scored = candidates.into_iter().map(|candidate| (distance(&wrong, candidate), candidate));
    let (distance, candidate) = scored.min_by_key(|(distance, _)| *distance)?;
    (distance <= tolerance(&wrong)).then_some(candidate)
}

/// The hint for a misspelt name.
pub(super) fn did_you_mean<'c>(wrong: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    nearest(wrong, candidates).map(|name| format!("did you mean \"{name}\"?"))
}

/// Letters and digits only, in lower case: case, `_`, `-` and `.` are never the point of a name.
fn normal_form(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How many slips of the pen lie between the two. The part of a key after its dot counts as nearly the key.
fn distance(wrong: &str, candidate: &str) -> usize {
    let whole = strsim::damerau_levenshtein(wrong, &normal_form(candidate));
    match candidate.rsplit_once('.') {
        Some((_, last)) if normal_form(last) == wrong => whole.min(1),
        _ => whole,
    }
}

fn tolerance(wrong: &str) -> usize {
    match wrong.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        6..=11 => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let names =
            ["filePattern", "initialPosition", "kinesisStream", "cloudwatch.emitMetrics", "RANDOM", "flows"];
        let table = [
            ("initialPostion", Some("initialPosition")),
            ("file_pattern", Some("filePattern")),
            ("FILEPATTERN", Some("filePattern")),
            ("random", Some("RANDOM")),
            ("emitMetrics", Some("cloudwatch.emitMetrics")),
            ("cloudwatch.emitMetric", Some("cloudwatch.emitMetrics")),
            ("kinesisStraem", Some("kinesisStream")),
            ("flow", Some("flows")),
            ("streamName", None),
            ("x", None),
            ("", None),
            ("comment", None),
        ];
        for (wrong, expected) in table {
            assert_eq!(nearest(wrong, names), expected, "{wrong}");
        }
        assert_eq!(did_you_mean("random", names).as_deref(), Some("did you mean \"RANDOM\"?"));
    }
}
