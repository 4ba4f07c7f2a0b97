//! The thread that has the reader's ear: it connects, encodes, writes, and begins anew when the reader is gone.

use super::frames::{Control, LONGEST_CONTROL, accepts, control};
use super::hearing::Hearing;
use super::message::frames;
use super::{Account, Seen, Teller};
use config::DnstapOutput;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, SockAddr, Socket, Type};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

/// How soon a reader that is not there, or has gone, is looked for again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a reader may take for its part of a greeting, or for room in its buffer: then it counts as gone.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is written at once, octets, where so much waits.
const PIECE: usize = 64 << 10;

/// Starts the thread. It ends when nobody can tell it anything any more.
pub(super) fn start(
    output: DnstapOutput,
    teller: Teller,
    waiting: Receiver<Seen>,
    told_by: Weak<()>,
    account: Arc<Account>,
    is_heard: Arc<AtomicBool>,
) -> io::Result<()> {
    let writer = Writer { hearing: Hearing::new(teller, is_heard), waiting, told_by, account };
    thread::Builder::new().name("dnstap".into()).spawn(move || writer.run(&output)).map(drop)
}

struct Writer {
    hearing: Hearing,
    waiting: Receiver<Seen>,
    /// Whether anybody can still tell anything: the queue says so only once it is empty.
    told_by: Weak<()>,
    account: Arc<Account>,
}

/// Nobody tells anything any more.
struct Over;

impl Writer {
    fn run(mut self, output: &DnstapOutput) {
        loop {
            let over = match output {
                // Whether the reader has gone or never came: what is asked meanwhile waits, as long as there is room.
                DnstapOutput::Socket(path) => greet(path).and_then(|stream| self.write(stream)),
                // What was written before a fault stays: to begin anew would throw it away.
                DnstapOutput::File(path) => create(path).map(|file| {
                    let filled = self.fill(file);
                    filled.unwrap_or_else(|error| {
                        self.hearing.end(output, &error);
                        Over
                    })
                }),
            };
            match over {
                Ok(Over) => return self.drop_rest(),
                Err(error) => self.hearing.end(output, &error),
            }
            thread::sleep(AGAIN);
            // What still waits can be told to nobody.
            if self.told_by.strong_count() == 0 {
                return self.drop_rest();
            }
        }
    }

    fn fill(&mut self, mut file: File) -> io::Result<Over> {
        file.write_all(&control(Control::Start))?;
        self.write(file)
    }

    /// Counts what nobody will read, until nobody tells anything any more: the room that it takes is others', too.
    fn drop_rest(&self) {
        for seen in &self.waiting {
            self.account.waiting_octets.fetch_sub(seen.octets.len(), Ordering::Relaxed);
            self.account.dropped.fetch_add(seen.messages(), Ordering::Relaxed);
        }
    }

    /// Writes what there is until nobody tells anything any more, or the reader fails.
    fn write(&mut self, mut to: impl Write + AsFd) -> io::Result<Over> {
        self.hearing.begin();
        let mut piece = Vec::new();
        loop {
            let first = match self.waiting.recv_timeout(AGAIN) {
                Ok(seen) => seen,
                Err(RecvTimeoutError::Timeout) => {
                    look_for_reader(&to)?;
                    self.hearing.stay();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => {
                    to.write_all(&control(Control::Stop))?;
                    return Ok(Over);
                }
            };
            piece.clear();
            let mut messages = self.take(&first, &mut piece);
            while piece.len() < PIECE
                && let Ok(seen) = self.waiting.try_recv()
            {
                messages += self.take(&seen, &mut piece);
            }
            // A reader that fails now may have had some of it: it counts as dropped.
            let written = to.write_all(&piece).and_then(|()| to.flush());
            let counter = if written.is_ok() { &self.account.written } else { &self.account.dropped };
            counter.fetch_add(messages, Ordering::Relaxed);
            written?;
            self.hearing.take();
        }
    }

    fn take(&self, seen: &Seen, piece: &mut Vec<u8>) -> u64 {
        self.account.waiting_octets.fetch_sub(seen.octets.len(), Ordering::Relaxed);
        frames(seen, self.hearing.identity(), piece);
        seen.messages()
    }
}

/// A file in the place of the one that may be there. Who asks what is nobody else's business.
fn create(path: &Path) -> io::Result<File> {
    // To open one lasts until somebody reads it, and longer than the service, if nobody does.
    if fs::metadata(path).is_ok_and(|there| there.file_type().is_fifo()) {
        return Err(io::Error::other("it is a pipe: have the reader listen at a socket, and name that"));
    }
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Fails if nobody is at the other end any more: without that, it would be noticed when there is something to write.
fn look_for_reader(to: &impl AsFd) -> io::Result<()> {
    let mut end = [PollFd::new(to, PollFlags::empty())];
    poll(&mut end, Some(&Timespec::default()))?;
    match end[0].revents().intersects(PollFlags::HUP | PollFlags::ERR) {
        true => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the reader has gone")),
        false => Ok(()),
    }
}

/// A connection to who listens there. To wait until a reader takes it could last for ever, if it has stopped.
fn call(path: &Path) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => io::Error::new(error.kind(), "the reader takes no more connections"),
        _ => error,
    })?;
    socket.set_nonblocking(false)?;
    Ok(socket.into())
}

/// A reader that has taken the offer, ready for data.
fn greet(path: &Path) -> io::Result<UnixStream> {
    let mut stream = call(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&control(Control::Ready))?;
    let mut head = [0; 8];
    stream.read_exact(&mut head)?;
    let [escape, length] =
        [&head[..4], &head[4..]].map(|word| word.iter().fold(0, |all, octet| all << 8 | u32::from(*octet)));
    if escape != 0 || length > LONGEST_CONTROL {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the reader speaks no Frame Streams"));
    }
    let mut payload = vec![0; length as usize]; // 512 at most
    stream.read_exact(&mut payload)?;
    if !accepts(&payload) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the reader does not take dnstap"));
    }
    stream.write_all(&control(Control::Start))?;
    Ok(stream)
}
