//! What this host remembers of one database.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::file::{EpochFile, Lines};
use super::line::Line;
use super::{EpochNotice, FAR_BEHIND};
use crate::crypto::make_bytes;
use crate::crypto::{ManifestKey, RingId};
use crate::key::lineage::{Descent, FoundEpoch, SeenEpoch};
use crate::key::manifest_row::Verified;
use crate::key::{Epoch, RingError};

/// A database's line in this host's epoch file, and the file.
pub struct EpochMemory {
    file: EpochFile,
    database: String,
    raised: AtomicI64,
    said: Mutex<BTreeSet<&'static str>>,
}

impl EpochMemory {
    /// `database` is its address without the login, the same in every program of this host.
    pub fn new(file: impl Into<PathBuf>, database: impl Into<String>) -> Self {
        Self {
            file: EpochFile::new(file.into()),
            database: database.into(),
            raised: AtomicI64::new(0),
            said: Mutex::default(),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Compares a manifest with what is remembered. Without a key, lines count unverified.
    pub(super) fn judge(
        &self,
        ring: &RingId,
        found: &FoundEpoch<'_>,
        key: Option<&ManifestKey>,
    ) -> Result<(), RingError> {
        let notices = self.compare(ring, found, key)?;
        self.say(notices);
        Ok(())
    }

    /// What is to be noticed of a manifest that is accepted; an error where it is refused. Says nothing.
    pub(super) fn compare(
        &self,
        ring: &RingId,
        found: &FoundEpoch<'_>,
        key: Option<&ManifestKey>,
    ) -> Result<Vec<EpochNotice>, RingError> {
        let epoch = found.epoch;
        let lines = match self.file.read() {
            Ok(lines) => lines,
            Err(error) => {
                return Ok(vec![EpochNotice::Unreadable(
                    self.path().to_owned(),
                    error.to_string(),
                )]);
            }
        };
        let here = self.line(&lines);
        if here.is_some_and(|line| !line.admits(ring)) {
            return Err(RingError::RingChanged { epoch });
        }
        let (good, bad): (Vec<_>, Vec<_>) = lines
            .lines
            .iter()
            .filter(|line| line.names(ring))
            .partition(|line| key.is_none_or(|key| line.verifies(ring, key)));
        let mut notices = Vec::new();
        if lines.is_damaged || !bad.is_empty() {
            notices.push(EpochNotice::Unverified(self.path().to_owned()));
        }
        let highest = good.iter().map(|line| line.epoch).max();
        let of_highest = good.iter().filter(|line| Some(line.epoch) == highest);
        for seen in of_highest.map(|line| line.seen()) {
            match found.descent_from(&seen) {
                Descent::Follows => {}
                Descent::Older => {
                    let minimum = seen.epoch;
                    return Err(RingError::Older { found: epoch, minimum, is_pinned: false });
                }
                Descent::Diverged => {
                    return Err(RingError::Diverged { found: epoch, seen: seen.epoch });
                }
            }
        }
        match highest {
            Some(remembered) if epoch.is_beyond(remembered, FAR_BEHIND) => {
                notices.push(EpochNotice::FarBehind { remembered, found: epoch });
            }
            None if here.is_none() && notices.is_empty() => {
                notices.push(EpochNotice::UnknownDatabase(self.path().to_owned()));
            }
            _ => {}
        }
        Ok(notices)
    }

    /// Refuses a database without a ring where a ring is remembered.
    pub(super) fn judge_absent(&self) -> Result<(), RingError> {
        match self.file.read() {
            Ok(lines) if self.line(&lines).is_some_and(|line| !line.changing) => {
                Err(RingError::RingChanged { epoch: Epoch::NONE })
            }
            Ok(_) => Ok(()),
            Err(error) => {
                self.say([EpochNotice::Unreadable(self.path().to_owned(), error.to_string())]);
                Ok(())
            }
        }
    }

    /// Writes an epoch down unless a higher one is. A file that does not verify stays as it is, so that it stays noticed.
    pub(super) fn raise(&self, ring: &RingId, seen: &SeenEpoch, key: &ManifestKey) {
        // Where nothing is to be written, a file on a read-only mount will do.
        if !self.is_written(ring, seen) {
            let raised = self.file.change(|lines| self.raise_in(lines, ring, seen, key));
            self.say_unwritable(raised);
        }
        self.raised.store(seen.epoch.number(), Ordering::Relaxed);
    }

    fn is_written(&self, ring: &RingId, seen: &SeenEpoch) -> bool {
        let lines = self.file.read().unwrap_or_default();
        self.line(&lines).is_some_and(|line| line.names(ring) && !line.is_below(seen))
    }

    fn raise_in(
        &self,
        lines: &mut Lines,
        ring: &RingId,
        seen: &SeenEpoch,
        key: &ManifestKey,
    ) -> bool {
        let before = self.line(lines).cloned();
        let is_strange =
            |line: &Line| !line.admits(ring) || (line.names(ring) && !line.verifies(ring, key));
        if lines.is_damaged || before.as_ref().is_some_and(is_strange) {
            return false;
        }
        let known = before.as_ref().filter(|line| line.names(ring));
        if known.is_some_and(|line| !line.is_below(seen)) {
            return false;
        }
        // Another ring than before is the end of a change.
        let changing = known.is_some_and(|line| line.changing);
        let accepted = before.and_then(|line| line.accepted);
        let line = Line { accepted, changing, ..Line::of(&self.database, ring, seen.clone(), key) };
        self.put(lines, line.signed(ring, key));
        true
    }

    pub(super) fn has_raised(&self, epoch: Epoch) -> bool {
        self.raised.load(Ordering::Relaxed) == epoch.number()
    }

    /// Writes down that this host's own `migrate` is about to make the ring, or to drop this one. Fails where that cannot
    /// be written, while nothing is changed yet.
    pub(super) fn intend(&self, ring: Option<&Verified>) -> io::Result<()> {
        let Some(ring) = ring else {
            return self.change(Line::making(&self.database));
        };
        self.mark(ring, true)
    }

    /// Ends what [`EpochMemory::intend`] began, with the ring that the database has now.
    pub(super) fn settle(&self, ring: Option<&Verified>) {
        let settled = match ring {
            Some(ring) => self.mark(ring, false),
            None => self.file.change(|lines| {
                let (before, gone) =
                    (lines.lines.len(), self.line(lines).and_then(|line| line.ring.clone()));
                let is_gone = |line: &Line| {
                    line.database == self.database || (gone.is_some() && line.ring == gone)
                };
                lines.lines.retain(|line| !(line.changing && is_gone(line)));
                lines.lines.len() < before
            }),
        };
        self.say_unwritable(settled);
    }

    /// Accepts the ring and epoch that the database has now, whatever this host has seen. A damaged file is made anew from
    /// the lines that are whole.
    pub(super) fn accept(&self, ring: Option<&Verified>) -> io::Result<()> {
        let token = hex::encode(make_bytes::<8>().map_err(io::Error::other)?);
        self.file.change(|lines| {
            lines.lines.retain(|line| line.database != self.database);
            let Some(Verified { ring, key, manifest }) = ring else { return true };
            let seen = manifest.found().seen();
            for line in lines.lines.iter_mut().filter(|line| line.names(ring)) {
                let accepted = Line {
                    accepted: Some(token.clone()),
                    ..Line::of(&line.database, ring, seen.clone(), key)
                };
                *line = accepted.signed(ring, key);
            }
            let line = Line { accepted: Some(token), ..Line::of(&self.database, ring, seen, key) };
            lines.lines.push(line.signed(ring, key));
            true
        })
    }

    pub(super) fn acceptance(&self) -> Option<String> {
        self.line(&self.file.read().ok()?)?.accepted.clone()
    }

    fn line<'a>(&self, lines: &'a Lines) -> Option<&'a Line> {
        lines.lines.iter().find(|line| line.database == self.database)
    }

    fn put(&self, lines: &mut Lines, line: Line) {
        lines.lines.retain(|line| line.database != self.database);
        lines.lines.push(line);
    }

    /// Sets whether `migrate` changes the ring, in this database's line and in those of its other addresses.
    fn mark(&self, ring: &Verified, changing: bool) -> io::Result<()> {
        let Verified { ring, key, manifest } = ring;
        self.file.change(|lines| {
            let before = lines.lines.clone();
            let own =
                Line { changing, ..Line::of(&self.database, ring, manifest.found().seen(), key) };
            self.put(lines, own.signed(ring, key));
            for line in
                lines.lines.iter_mut().filter(|line| line.names(ring) && line.verifies(ring, key))
            {
                *line = Line { changing, ..line.clone() }.signed(ring, key);
            }
            lines.lines != before && !lines.is_damaged
        })
    }

    fn change(&self, line: Line) -> io::Result<()> {
        self.file.change(|lines| {
            let is_new = self.line(lines) != Some(&line);
            self.put(lines, line);
            is_new && !lines.is_damaged
        })
    }

    fn say_unwritable(&self, written: io::Result<()>) {
        self.say(
            written
                .err()
                .map(|error| EpochNotice::Unwritable(self.path().to_owned(), error.to_string())),
        );
    }

    fn say(&self, notices: impl IntoIterator<Item = EpochNotice>) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        for notice in notices {
            if said.insert(notice.kind()) {
                tracing::warn!("{notice}");
            }
        }
    }
}
