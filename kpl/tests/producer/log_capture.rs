//! Keeps what is logged on this thread.
//!
//! Invariant: one event is one line, with its level first.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing::subscriber::DefaultGuard;

/// What was logged since it began, until it is dropped.
pub(crate) struct LogCapture {
    written: Arc<Mutex<Vec<u8>>>,
    _guard: DefaultGuard,
}

struct Writer(Arc<Mutex<Vec<u8>>>);

impl LogCapture {
    /// Captures everything from here on. The runtime must run on this thread alone.
    pub(crate) fn begin() -> Self {
        let written = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&written);
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || Writer(Arc::clone(&writer)))
            .with_ansi(false)
            .without_time()
            .finish();
        Self { written, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// The lines of one level, without those of other crates.
    pub(crate) fn lines(&self, level: tracing::Level) -> Vec<String> {
        let written = self.written.lock().expect("no panic under this lock");
        let text = String::from_utf8_lossy(&written);
        let is_wanted = |line: &&str| line.trim_start().starts_with(level.as_str()) && line.contains("kpl::");
        text.lines().filter(is_wanted).map(str::to_owned).collect()
    }

    /// Lines above debug level.
    pub(crate) fn loud(&self) -> Vec<String> {
        [tracing::Level::ERROR, tracing::Level::WARN, tracing::Level::INFO]
            .into_iter()
            .flat_map(|level| self.lines(level))
            .collect()
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic under this lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
