//! What this host knows of the store, and how it notices that the store forgot.
//!
//! ```text
//!            a read answered                 conflict, or a doubtful notice
//!   Lost ─────────────────────> Fresh ──────────────────────────────────────> Stale
//!    ^                           │  ^                                          │
//!    └── unavailable, ambiguous, │  └────────── a read answered ───────────────┘
//!        disconnected, silent ───┘
//! ```
//! Only a fresh record is built upon. Whoever was out of contact greets: it doubts what others wrote before, because a
//! store that was restored meanwhile looks like any other to somebody who has not seen what it lost.

use serde::{Deserialize, Serialize};
use terms::Reason;

use super::input::{Revision, Stored};
use super::record::Record;
use super::speaker::Speaker;

/// How this host stands with the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Contact {
    /// It cannot be asked; it may be another store when it can.
    Lost {
        /// What went wrong.
        why: Reason,
    },
    /// It can be asked, and holds something else than what is known here.
    Stale,
    /// What is known here is what it held when it was last heard of.
    Fresh,
}

/// What is known of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sight {
    pub(super) contact: Contact,
    /// Of the newest record that was seen; nothing where there was none.
    pub(super) revision: Option<Revision>,
    /// The newest record that was seen.
    pub(super) record: Record,
    /// A newer record than the one in the store, until the store has been told that it forgot.
    pub(super) forgotten: Option<Record>,
    /// Whether this host has made a change since it was out of contact.
    pub(super) greeted: bool,
    /// The serial of the last change that is known to have been made by this host.
    own_word: u64,
    /// Why the last read gave no record.
    pub(super) garbled: Option<Reason>,
}

/// What a read showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lesson {
    /// The record as it was, or a newer one.
    Newer,
    /// An older record than one that was seen, or one without a change that this host has made.
    Older,
}

impl Sight {
    pub(super) fn new() -> Self {
        Sight {
            contact: Contact::Lost { why: Reason::from("the store has not been asked yet") },
            revision: None,
            record: Record::empty(),
            forgotten: None,
            greeted: false,
            own_word: 0,
            garbled: None,
        }
    }

    pub(super) fn is_fresh(&self) -> bool {
        self.contact == Contact::Fresh
    }

    /// The connection is gone, or a request found no answer.
    pub(super) fn lose(&mut self, why: Reason) {
        self.contact = Contact::Lost { why };
        self.greeted = false;
    }

    /// The store holds something else by now.
    pub(super) fn outdate(&mut self) {
        if self.is_fresh() {
            self.contact = Contact::Stale;
        }
    }

    /// What lies there is no record: nothing can be built upon it.
    pub(super) fn garble(&mut self, why: Reason) {
        self.outdate();
        self.garbled = Some(why);
    }

    /// A read was answered.
    pub(super) fn learn(&mut self, found: Option<Stored>, speaker: &Speaker) -> Lesson {
        let (revision, record) = match found {
            Some(Stored { revision, record }) => (Some(revision), record),
            None => (None, Record::empty()),
        };
        let lesson = self.judge(revision, &record, speaker);
        if lesson == Lesson::Older {
            let known = std::mem::replace(&mut self.record, Record::empty());
            // Of two records that were lost in a row the newer one knows more.
            let newer = self.forgotten.take().filter(|earlier| earlier.serial() > known.serial());
            self.forgotten = Some(newer.unwrap_or(known));
            self.own_word = 0;
        }
        self.contact = Contact::Fresh;
        self.garbled = None;
        (self.revision, self.record) = (revision, record);
        lesson
    }

    fn judge(&self, revision: Option<Revision>, record: &Record, speaker: &Speaker) -> Lesson {
        let is_same = revision == self.revision && *record == self.record;
        let is_later = revision > self.revision && record.serial() > self.record.serial();
        // Every change of this host is in every later record, unless others have forgotten the host.
        let own = record.host(&speaker.site, &speaker.host);
        let keeps_own_word = own.is_none_or(|host| host.confirmed >= self.own_word);
        if keeps_own_word && (is_same || is_later) { Lesson::Newer } else { Lesson::Older }
    }

    /// The store told of a change by itself. Such a notice may be old, so it is only good for good news.
    pub(super) fn hear(&mut self, notice: Stored, speaker: &Speaker) {
        if !self.is_fresh() || Some(notice.revision) <= self.revision {
            return;
        }
        match self.judge(Some(notice.revision), &notice.record, speaker) {
            Lesson::Newer => {
                (self.revision, self.record) = (Some(notice.revision), notice.record);
            }
            Lesson::Older => self.contact = Contact::Stale,
        }
    }

    /// A change of this host was made.
    pub(super) fn replaced(&mut self, revision: Revision, record: Record, speaker: &Speaker) {
        if let Some(host) = record.host(&speaker.site, &speaker.host) {
            self.greeted = true;
            self.own_word = host.confirmed;
        }
        self.forgotten = None;
        if Some(revision) > self.revision {
            (self.revision, self.record) = (Some(revision), record);
        }
    }
}
