//! Where log lines and messages go: standard error, by a thread of its own.
//!
//! Invariants: who has something to say never fails, and waits a moment at most: when the disk is full, or nobody reads,
//! lines are lost, and how many is said when lines are taken again. Each event is one line, whatever stands in it.

use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

use crate::shown::{escaped, escaped_except};

/// Bytes that wait to be written; more are lost.
const ROOM_BYTES: usize = 1 << 20;

/// The longest line.
const LINE_BYTES: usize = 16 << 10;

/// How long whoever has something to say waits for room, once; after that lines are lost until some are taken again.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long the end of the process waits for the last lines.
const LAST_PATIENCE: Duration = Duration::from_secs(2);

/// Between two attempts to write to a terminal or pipe that somebody else made non-blocking.
const RETRY: Duration = Duration::from_millis(10);

static OUTPUT: OnceLock<Output> = OnceLock::new();

#[derive(Debug)]
struct Output {
    state: Mutex<State>,
    /// Rings when there is something to write.
    filled: Condvar,
    /// Rings when something was written, or lost.
    emptied: Condvar,
    patience: Duration,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    is_writing: bool,
    /// Nothing was taken for so long that nobody waits any more.
    is_stuck: bool,
    lost_lines: u64,
}

/// For `tracing`: each write is one event.
#[derive(Debug, Clone, Copy)]
pub struct LogLines {
    /// Whether escape sequences are the formatter's own. It escapes those in the events.
    pub has_colours: bool,
}

/// Starts the thread. Without it everything is written by whoever says it.
///
/// # Errors
///
/// The operating system refuses a thread.
pub fn start() -> io::Result<()> {
    let output = OUTPUT.get_or_init(|| Output::new(PATIENCE));
    thread::Builder::new().name("log".to_owned()).spawn(|| output.run(io::stderr()))?;
    Ok(())
}

/// Says something to whoever started the program, in as many lines as it has.
pub fn say(text: &str) {
    for line in text.lines() {
        push(format!("{}\n", escaped(line)).as_bytes());
    }
}

/// Waits, not for long, until everything was written.
pub fn finish() {
    if let Some(output) = OUTPUT.get() {
        output.finish(LAST_PATIENCE);
    }
}

fn push(line: &[u8]) {
    match OUTPUT.get() {
        Some(output) => output.push(line),
        // There is nobody to tell.
        None => drop(io::stderr().write_all(line)),
    }
}

impl MakeWriter<'_> for LogLines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        *self
    }
}

impl Write for LogLines {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let exceptions: &[char] = if self.has_colours { &['\u{1b}'] } else { &[] };
        let line = escaped_except(text.strip_suffix('\n').unwrap_or(&text), exceptions);
        let shown = &line[..line.floor_char_boundary(LINE_BYTES)];
        let rest = if shown.len() < line.len() { "..." } else { "" };
        push(format!("{shown}{rest}\n").as_bytes());
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl State {
    fn has_room(&self, bytes: usize) -> bool {
        self.waiting.len() + bytes <= ROOM_BYTES
    }
}

impl Output {
    fn new(patience: Duration) -> Self {
        Self { state: Mutex::default(), filled: Condvar::new(), emptied: Condvar::new(), patience }
    }

    fn push(&self, line: &[u8]) {
        let is_full = |state: &mut State| !state.has_room(line.len()) && !state.is_stuck;
        let waited = self.emptied.wait_timeout_while(self.lock(), self.patience, is_full);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        if state.has_room(line.len()) {
            state.waiting.extend_from_slice(line);
            self.filled.notify_one();
        } else {
            state.is_stuck = true;
            state.lost_lines += 1;
            self.emptied.notify_all();
        }
    }

    fn run(&self, mut output: impl Write) {
        loop {
            let is_empty = |state: &mut State| state.waiting.is_empty();
            let mut state =
                self.filled.wait_while(self.lock(), is_empty).unwrap_or_else(PoisonError::into_inner);
            let lines = std::mem::take(&mut state.waiting);
            let lost = std::mem::take(&mut state.lost_lines);
            state.is_writing = true;
            drop(state);
            let is_written = write_patiently(&mut output, &note(lost))
                .and_then(|()| write_patiently(&mut output, &lines))
                .is_ok();
            let mut state = self.lock();
            if !is_written {
                state.lost_lines += lost + memchr::memchr_iter(b'\n', &lines).count() as u64;
            }
            state.is_stuck = false;
            state.is_writing = false;
            self.emptied.notify_all();
        }
    }

    fn finish(&self, patience: Duration) {
        let is_busy = |state: &mut State| !state.waiting.is_empty() || state.is_writing;
        // What is not written by then never will be.
        drop(self.emptied.wait_timeout_while(self.lock(), patience, is_busy));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is said of lost lines.
fn note(lost_lines: u64) -> Vec<u8> {
    if lost_lines == 0 {
        return Vec::new();
    }
    format!("kinesis-agent: {lost_lines} lines of this log were lost: its disk was full, or nobody read it\n")
        .into()
}

fn write_patiently(output: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match output.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(RETRY),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// Takes a write when it is told what to answer.
    struct Reader {
        answers: Receiver<io::Result<()>>,
        taken: Arc<Mutex<String>>,
    }

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.answers.recv().expect("the test goes on")?;
            self.taken.lock().expect("no panic").push_str(&String::from_utf8_lossy(bytes));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[expect(clippy::disallowed_methods, reason = "bounded by the test")]
    fn started() -> (&'static Output, Sender<io::Result<()>>, Arc<Mutex<String>>) {
        let output: &'static Output = Box::leak(Box::new(Output::new(Duration::ZERO)));
        let (answer, answers) = channel();
        let taken = Arc::new(Mutex::new(String::new()));
        let reader = Reader { answers, taken: Arc::clone(&taken) };
        thread::Builder::new().spawn(|| output.run(reader)).expect("a thread");
        (output, answer, taken)
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn whoever_speaks_to_nobody_goes_on_and_what_was_lost_is_said() {
        let (output, answer, taken) = started();
        let line = [&[b'x'; 1023][..], b"\n"].concat();
        for _ in 0..5000 {
            output.push(&line);
        }
        output.finish(Duration::ZERO);
        for _ in 0..3 {
            answer.send(Ok(())).expect("it listens");
        }
        output.finish(LONG);
        output.push(b"last\n");
        answer.send(Ok(())).expect("it listens");
        answer.send(Ok(())).expect("it listens");
        output.finish(LONG);
        let taken = taken.lock().expect("no panic");
        let whole = taken.lines().filter(|line| line.len() == 1023).count();
        // Said once for each time that the queue was full.
        let told = taken.lines().filter(|line| line.contains("lost"));
        let number = |line: &str| line.split_whitespace().find_map(|word| word.parse::<usize>().ok());
        let lost: Vec<usize> = told.filter_map(number).collect();
        assert!(
            !lost.is_empty() && whole + lost.iter().sum::<usize>() == 5000,
            "{whole} whole, {lost:?} lost"
        );
        assert!(taken.ends_with("last\n"));
    }

    #[test]
    fn a_full_disk_costs_the_lines_and_nothing_else() {
        let (output, answer, taken) = started();
        output.push(b"one\ntwo\n");
        answer.send(Err(io::ErrorKind::StorageFull.into())).expect("it listens");
        output.finish(LONG);
        output.push(b"three\n");
        answer.send(Ok(())).expect("it listens");
        answer.send(Ok(())).expect("it listens");
        output.finish(LONG);
        let taken = taken.lock().expect("no panic");
        assert!(taken.contains(": 2 lines of this log were lost"), "{taken}");
        assert!(taken.ends_with("three\n"), "{taken}");
    }
}
