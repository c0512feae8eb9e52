//! The table of options as `CONFIGURATION.md` has it.
//!
//! Invariant: made from the table and the defaults alone.

use std::fmt::Write;

use crate::config::Config;
use crate::config::option::{ConfigOption, Effect, Origin, Shape};
use crate::config::table::options;

const OPENING: &str = "\
# Options

In Rust and in serde's formats an option has the first name, in a KPL `.properties` file the second; options of the
connection are fields of `Config::connection`. Times are milliseconds in files. Options marked with \u{2020} are not the
KPL's.

";

const WITHOUT_EFFECT: &str = "
# Options of the KPL without effect

In a `.properties` file they are reported, in serde's formats they are problems; unless the value asks for what is the
case anyway.

";

/// The whole of `CONFIGURATION.md`.
pub(super) fn document() -> String {
    let mut document = OPENING.to_owned();
    document.push_str("| option | in `.properties` | default | values | what |\n|---|---|---|---|---|\n");
    for option in options() {
        if let Effect::Obeyed(shape) = &option.effect {
            push_obeyed(&mut document, option, shape);
        }
    }
    document.push_str(WITHOUT_EFFECT);
    document.push_str("| option | in `.properties` | why, and what to do instead |\n|---|---|---|\n");
    for option in options() {
        if let Effect::None { because, .. } = option.effect {
            let (name, property) = (option.name, option.property);
            writeln!(document, "| `{name}` | `{property}` | {because} |").expect("a string takes all");
        }
    }
    document
}

fn push_obeyed(document: &mut String, option: &ConfigOption, shape: &Shape) {
    let mark = if option.origin == Origin::Ours { " \u{2020}" } else { "" };
    let default = option.shown(&Config::default()).map_or("none".to_owned(), |value| format!("`{value}`"));
    let (name, property, values, doc) = (option.name, option.property, shape.values(), option.doc);
    writeln!(document, "| `{name}`{mark} | `{property}` | {default} | {values} | {doc} |")
        .expect("a string takes all");
}
