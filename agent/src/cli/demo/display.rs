//! Shows the figures while the demo runs: redrawn in place on a terminal, one plain line a second elsewhere.
//!
//! Invariant: nothing is written to a file or pipe that only a terminal understands, and a display that nobody reads
//! any more does not disturb the demo.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use super::figures::{Figures, Phase};

/// Between two looks at the figures.
pub(super) const REFRESH: Duration = Duration::from_millis(200);

/// Between two plain lines.
const LINE_PERIOD: Duration = Duration::from_secs(1);

/// The display.
#[derive(Debug)]
pub(super) struct Display {
    form: Form,
}

#[derive(Debug)]
enum Form {
    Terminal { lines_drawn: usize },
    Plain { next_line: Duration },
}

impl Display {
    /// A display on standard output.
    pub(super) fn new() -> Self {
        let form = if io::stdout().is_terminal() {
            Form::Terminal { lines_drawn: 0 }
        } else {
            Form::Plain { next_line: LINE_PERIOD }
        };
        Self { form }
    }

    /// Shows the figures, if it is time to.
    pub(super) fn show(&mut self, figures: &Figures, phase: Phase) {
        write(&self.form.render(figures, phase));
    }

    /// Says what comes next; the figures stay above it.
    pub(super) fn say(&self, what: &str) {
        write(&format!("{what}\n"));
    }
}

/// Writes to standard output, whoever reads it.
pub(super) fn write(text: &str) {
    let mut output = io::stdout().lock();
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}

impl Form {
    fn render(&mut self, figures: &Figures, phase: Phase) -> String {
        match self {
            Self::Terminal { lines_drawn } => {
                let lines = figures.screen(phase);
                let up = if *lines_drawn == 0 { String::new() } else { format!("\x1b[{lines_drawn}A") };
                *lines_drawn = lines.len();
                // Each line is cleared first, because the one before may have been longer.
                let drawn: String = lines.iter().map(|line| format!("\r\x1b[2K{line}\n")).collect();
                up + &drawn
            }
            Self::Plain { next_line } if figures.elapsed >= *next_line => {
                *next_line += LINE_PERIOD;
                figures.line(phase) + "\n"
            }
            Self::Plain { .. } => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Figures {
        Figures { elapsed: Duration::from_millis(millis), ..Figures::default() }
    }

    #[test]
    fn a_terminal_is_redrawn_in_place() {
        let mut form = Form::Terminal { lines_drawn: 0 };
        let first = form.render(&at(0), Phase::Writing);
        let second = form.render(&at(200), Phase::Writing);
        assert!(first.starts_with("\r\x1b[2K"), "{first:?}");
        assert!(second.starts_with(&format!("\x1b[{}A\r", first.lines().count())), "{second:?}");
    }

    #[test]
    fn elsewhere_there_is_a_line_a_second() {
        let mut form = Form::Plain { next_line: LINE_PERIOD };
        let texts = (0..=20).map(|look| form.render(&at(look * 200), Phase::Writing));
        let lines: Vec<_> = texts.filter(|text| !text.is_empty()).collect();
        assert_eq!(lines.len(), 4);
        assert!(lines.iter().all(|line| line.ends_with('\n') && !line.contains('\x1b')));
    }
}
