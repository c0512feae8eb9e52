//! Resolves the options of a flow about its records' ids.
//!
//! Invariant: what cannot have the effect that its author wants is said.

use serde_json::Value;

use crate::config::dedup_ids::DedupIds;
use crate::config::options::flow;
use crate::config::section::Section;

/// Longest `dedupIdField`.
const FIELD_MAX_BYTES: usize = 255;

/// Where the records' ids stand. `has_tags`: readers of the destination know tags.
pub(super) fn resolve(section: &mut Section<'_>, has_tags: bool) -> DedupIds {
    let choice = section.choice(&flow::DEDUP_IDS);
    let field = field(section);
    if choice != Some("FIELD") && section.value(flow::DEDUP_ID_FIELD.name).is_some() {
        section.warn(flow::DEDUP_ID_FIELD.name, "has no effect without \"dedupIds\": \"FIELD\"", "remove it");
    }
    match choice {
        Some("TAG") if !has_tags => {
            let message = "Firehose hands on the tags of aggregated records to nobody".to_owned();
            section.error(flow::DEDUP_IDS.name, message, Some("use FIELD with JSON records".to_owned()));
            DedupIds::None
        }
        Some("TAG") => DedupIds::Tag,
        Some("FIELD") => {
            if makes_arrays(section) {
                let hint = "remove ADDBRACKETS, or use TAG";
                section.warn(
                    flow::DEDUP_IDS.name,
                    "FIELD finds no object in the array that ADDBRACKETS makes",
                    hint,
                );
            }
            DedupIds::Field(field)
        }
        _ => DedupIds::None,
    }
}

fn field(section: &mut Section<'_>) -> String {
    let option = &flow::DEDUP_ID_FIELD;
    let field = section.text(option).unwrap_or_default();
    if !(1..=FIELD_MAX_BYTES).contains(&field.len()) {
        let message = format!("a name of {} bytes cannot be used", field.len());
        section.error(option.name, message, Some(format!("use 1 to {FIELD_MAX_BYTES} bytes")));
    }
    field
}

fn makes_arrays(section: &Section<'_>) -> bool {
    let converters = section.value(flow::DATA_PROCESSING_OPTIONS.name).and_then(Value::as_array);
    let adds_brackets =
        |converter: &Value| converter.get("optionName").and_then(Value::as_str) == Some("ADDBRACKETS");
    converters.is_some_and(|converters| converters.iter().any(adds_brackets))
}

#[cfg(test)]
mod tests {
    use super::DedupIds;
    use crate::config::{AgentConfig, Parsed};

    fn parse(stream: &str, members: &str) -> Result<Parsed, String> {
        let text = format!(r#"{{"flows":[{{"filePattern":"/d/a","{stream}":"s"{members}}}]}}"#);
        AgentConfig::parse(&text, "agent.json").map_err(|problems| problems.to_string())
    }

    #[test]
    fn ids_are_where_they_are_asked_for() {
        for (members, expected) in [
            ("", DedupIds::None),
            (r#","dedupIds":"NONE""#, DedupIds::None),
            (r#","dedupIds":"TAG""#, DedupIds::Tag),
            (r#","dedupIds":"FIELD""#, DedupIds::Field("dedupId".to_owned())),
            (r#","dedupIds":"FIELD","dedupIdField":"_id""#, DedupIds::Field("_id".to_owned())),
        ] {
            let Parsed { config, warnings } = parse("kinesisStream", members).expect(members);
            assert_eq!((&config.flows[0].dedup_ids, &*warnings), (&expected, &[][..]), "{members}");
        }
    }

    #[test]
    fn what_would_have_no_effect_is_said() {
        for (stream, members, said) in [
            ("deliveryStream", r#","dedupIds":"TAG""#, "dedupIds: Firehose hands on"),
            ("kinesisStream", r#","dedupIds":"tag""#, "dedupIds"),
            ("kinesisStream", r#","dedupIds":"FIELD","dedupIdField":"""#, "a name of 0 bytes"),
            ("kinesisStream", r#","dedupIds":"TAG","dedupIdField":"a""#, "no effect without"),
            ("kinesisStream", r#","dedupIdField":"a""#, "no effect without"),
            (
                "deliveryStream",
                r#","dedupIds":"FIELD","dataProcessingOptions":[{"optionName":"ADDBRACKETS"}]"#,
                "FIELD finds no object",
            ),
        ] {
            let problems = match parse(stream, members) {
                Ok(parsed) => parsed.warnings.iter().map(ToString::to_string).collect(),
                Err(problems) => problems,
            };
            assert!(problems.contains(said), "{members}: {problems}");
        }
    }
}
