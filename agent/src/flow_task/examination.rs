//! The chores with unknown files: opening, answering the machine's questions, and holding what it wants.

use std::io;

use super::unreadable::FoundBy;
use super::{FlowTask, PassedOver};
use crate::checkpoint::{Fingerprint, HEAD_BYTES, Probe};
use crate::core::flow::{Adoption, COPY_HOLDS, Question};
use crate::core::identity::holds;
use crate::core::tracked_file::TrackedFile;
use crate::fs::OpenFile;
use crate::fs::gzip::Scanned;
use crate::source_file::{Kind, Listed};
use crate::types::{FileId, Moment};

/// An unknown file, opened, with the answers to the machine's questions about it.
pub(super) struct Examined {
    pub(super) file: OpenFile,
    pub(super) found: Listed,
    pub(super) answers: Vec<(Question, Probe)>,
}

impl FlowTask {
    pub(super) fn adopt(&mut self, unknown: &Listed) -> io::Result<()> {
        if self.flow.is_predecessor(unknown) {
            return self.leave_predecessor(unknown);
        }
        let Some(Examined { file, found, answers }) = self.examine(unknown)? else { return Ok(()) };
        let adoption = self.flow.adopt(&found, &answers, self.clock.now());
        self.hold(adoption, file, &found);
        Ok(())
    }

    fn leave_predecessor(&mut self, unknown: &Listed) -> io::Result<()> {
        let Some((file, found)) = self.open(unknown)? else { return Ok(()) };
        let fingerprint = file.stored_fingerprint()?;
        tracing::debug!(flow = self.config.id, path = %found.path.display(), "rotated before the flow began, not read");
        self.flow.predates(&found, fingerprint);
        Ok(())
    }

    /// Opens a file. `None` when it cannot be opened, or is known after all: between the listing and now another file
    /// may have taken the name.
    fn open(&mut self, listed: &Listed) -> io::Result<Option<(OpenFile, Listed)>> {
        let file = match self.open_by_name(&listed.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                self.report_unreadable(&listed.path, &error, FoundBy::Listing);
                return Ok(None);
            }
        };
        let status = file.status()?;
        if self.flow.is_tracked(status.node) {
            return Ok(None);
        }
        let found = Listed {
            node: status.node,
            size: file.text_end(status.size, 0)?,
            stored_size: status.stored_size,
            modified: status.modified,
            ..listed.clone()
        };
        Ok(Some((file, found)))
    }

    /// Opens a file and answers the machine's questions about it.
    pub(super) fn examine(&mut self, listed: &Listed) -> io::Result<Option<Examined>> {
        let Some((file, found)) = self.open(listed)? else { return Ok(None) };
        if found.kind == Kind::Compressed {
            return self.examine_compressed(file, found);
        }
        let mut answers = Vec::new();
        for question in self.flow.own_questions(&found) {
            let probe = file.probe(question.fingerprint.wanted())?;
            answers.push((question, probe));
        }
        if !self.flow.recognises(&found, &answers) {
            for question in self.questions(&found) {
                let probe = file.probe(question.fingerprint.wanted())?;
                answers.push((question, probe));
            }
        }
        Ok(Some(Examined { file, found, answers }))
    }

    /// A file that was finished is recognised by its stored bytes; any other has to be taken apart.
    fn examine_compressed(&mut self, mut file: OpenFile, mut found: Listed) -> io::Result<Option<Examined>> {
        if self.is_passed_over(&found) {
            return Ok(None);
        }
        let mut questions = self.flow.own_questions(&found);
        for question in &questions {
            let probe = file.probe(question.fingerprint.wanted())?;
            if question.fingerprint.offset == found.stored_size && holds(&question.fingerprint, &probe) {
                return Ok(Some(Examined { file, found, answers: vec![(question.clone(), probe)] }));
            }
        }
        questions.extend(self.questions(&found));
        let wanted: Vec<_> = questions.iter().map(|question| question.fingerprint.wanted()).collect();
        let (flow, path) = (&self.config.id, found.path.display());
        match file.decompress(found.stored_size, &wanted)? {
            Scanned::Complete { size, probes } => {
                found.size = size;
                let answers = questions.into_iter().zip(probes).collect();
                return Ok(Some(Examined { file, found, answers }));
            }
            Scanned::Unfinished => {
                tracing::info!(flow, %path, "a compressed file ends early; it is read when it is complete");
            }
            Scanned::Damaged(reason) => {
                tracing::warn!(
                    flow,
                    %path,
                    reason,
                    "a compressed file is damaged and is not read; if it can be repaired, replace it"
                );
            }
        }
        self.pass_over(&found, None);
        Ok(None)
    }

    /// Whether a compressed file was found unreadable, and has not changed; or a copy, just now.
    fn is_passed_over(&self, found: &Listed) -> bool {
        let (now, epoch) = (self.clock.now(), self.flow.epoch());
        let known = self.state.passed_over.get(&found.node);
        known.is_some_and(|known| {
            let is_copy = |(since, at)| since == epoch && now.since(at) < COPY_HOLDS;
            (known.stored_size, known.modified) == (found.stored_size, found.modified)
                && known.copy.is_none_or(is_copy)
        })
    }

    fn pass_over(&mut self, found: &Listed, copy: Option<(u64, Moment)>) {
        let (stored_size, modified) = (found.stored_size, found.modified);
        self.state.passed_over.insert(found.node, PassedOver { stored_size, modified, copy });
    }

    fn questions(&self, found: &Listed) -> Vec<Question> {
        let intact_size = |id: FileId, fingerprint: &Fingerprint| {
            let Some(opened) = self.state.opened.get(&id) else {
                return self.intact_size_at_rest(id, fingerprint);
            };
            let known = &opened.file;
            // The size first: if the file is truncated in between, that shows in the bytes.
            let size = known.status().ok()?.size;
            // Nobody truncates a compressed file, and to look into it costs as much as to read it.
            let is_intact =
                known.is_decompressed() || holds(fingerprint, &known.probe(fingerprint.wanted()).ok()?);
            let fetched = self.flow.file(id).map_or(0, TrackedFile::fetched);
            if is_intact { known.text_end(size, fetched.min(size)).ok() } else { None }
        };
        self.flow.questions(found, intact_size)
    }

    pub(super) fn hold(&mut self, adoption: Adoption, file: OpenFile, found: &Listed) {
        let (id, place) = match adoption {
            Adoption::Copy => {
                if found.kind == Kind::Compressed {
                    self.pass_over(found, Some((self.flow.epoch(), self.clock.now())));
                }
                return;
            }
            Adoption::Finished(id) => return self.note_finished(id, &file, found),
            Adoption::New(id) => {
                if self.saver.is_lost() && !self.state.has_listed {
                    tracing::warn!(
                        flow = self.config.id,
                        path = %found.path.display(),
                        bytes = found.size,
                        "its checkpoint was lost: the file is sent from its beginning, maybe for a second time"
                    );
                }
                tracing::debug!(flow = self.config.id, path = %found.path.display(), "a new file");
                // If it cannot be read, that is said when it is read.
                let mut head = Vec::new();
                if file.read_at(0, HEAD_BYTES, &mut head).is_ok() {
                    self.flow.foresee(id, &head);
                }
                (id, None)
            }
            Adoption::Continued(id) => {
                tracing::debug!(flow = self.config.id, path = %found.path.display(), "found again");
                (id, None)
            }
            Adoption::NewFromEnd(id) => (id, Some(file.last_line_end(found.size))),
            Adoption::AlreadyRead(id) => (id, Some(file.fingerprint_at(found.size))),
        };
        match place {
            Some(Ok((fingerprint, probe))) if fingerprint.offset > 0 => {
                self.flow.start_at(id, fingerprint, probe, self.clock.now());
            }
            // The file is begun at its beginning: sent twice rather than not at all.
            Some(Err(error)) => self.report_unreadable(&found.path, &error, FoundBy::Listing),
            _ => {}
        }
        self.keep_open(id, file);
        self.give_back_surplus();
    }

    /// A compressed file is recognised by its stored bytes from now on.
    fn note_finished(&mut self, id: FileId, file: &OpenFile, found: &Listed) {
        if !file.is_decompressed() {
            return;
        }
        match file.stored_fingerprint() {
            Ok(fingerprint) => self.flow.stored(id, fingerprint, found),
            // It is taken apart again after the next start.
            Err(error) => self.report_unreadable(&found.path, &error, FoundBy::Listing),
        }
    }
}
