//! "Did you mean": the known name that a misspelt one is most likely meant to be.
//!
//! Invariant: a suggestion is offered only when it is near; a wrong suggestion is worse than none.

/// The name nearest to `wrong`, if one is near enough.
pub(super) fn nearest<'n>(wrong: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let wrong = normal_form(wrong);
    let distance = |name: &&str| strsim::damerau_levenshtein(&wrong, &normal_form(name));
    let (distance, name) = names.into_iter().map(|name| (distance(&name), name)).min()?;
    (distance <= tolerance(&wrong)).then_some(name)
}

/// Letters and digits only, in lower case: case and underscores are never the point of a name. Cut off where it is
/// longer than any name, so that comparing hostile input stays cheap.
fn normal_form(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).take(100).collect()
}

fn tolerance(wrong: &str) -> usize {
    match wrong.chars().count() {
        0..=3 => 0,
        4..=6 => 1,
        7..=11 => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let names = ["RecordTtl", "Region", "AggregationEnabled", "AggregationMaxSize"];
        let table = [
            ("RecordTLL", Some("RecordTtl")),
            ("record_ttl", Some("RecordTtl")),
            ("AggregationEnabld", Some("AggregationEnabled")),
            ("aggregationMaxSize", Some("AggregationMaxSize")),
            ("Regoin", Some("Region")),
            ("xcvbnm", None),
            ("StreamName", None),
            ("", None),
        ];
        for (wrong, expected) in table {
            assert_eq!(nearest(wrong, names), expected, "{wrong}");
        }
    }
}
