//! How soon the kernel runs a thread.

use crate::Result;
use crate::error::Attempt;
use nix::errno::Errno;
use nix::libc;
use nix::sys::prctl;
use std::time::Duration;

/// The shortest time that a thread can ask to run in one piece.
const SLICE: Duration = Duration::from_micros(100);

/// Timers of the calling thread fire on time: the kernel may otherwise delay them by 50 us to save wake-ups.
pub fn precise_timers() -> Result<()> {
    prctl::set_timerslack(1).attempt(|| "ask for precise timers")
}

/// Runs the calling thread before every normal one whenever it has something to do (`SCHED_FIFO`, lowest priority).
/// Needs CAP_SYS_NICE and a kernel that allows it to the control group; an error is no reason to stop.
pub fn real_time() -> Result<()> {
    let parameters = libc::sched_param { sched_priority: 1 };
    // SAFETY: the call reads one `sched_param`, which lives until it returns; 0 is the calling thread.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &parameters) };
    Errno::result(result).map(drop).attempt(|| "run a thread in real time")
}

/// Lets every normal thread of the process that has something to do run before the calling one, more or less: by so
/// many steps of nice(2), 19 at most. Ten steps leave it a tenth of a processor that another thread wants, too, in the
/// smallest pieces that there are.
pub fn step_back(steps: u8) -> Result<()> {
    set(i32::from(steps)).attempt(|| "let other threads run first")
}

/// Asks for the calling thread's part of a processor in the smallest pieces that there are. Of two threads that may run, the
/// kernel takes the one whose piece would end first: it is run before those that ask for larger ones, and before those
/// that have stepped back.
pub fn step_forward() -> Result<()> {
    let steps =
        rustix::process::getpriority_process(None).attempt(|| "learn how far a thread has stepped back")?;
    set(steps).attempt(|| "run a thread before others")
}

/// Sets the steps of nice(2) of the calling thread, and asks for the smallest pieces, which Linux hears from 6.12 on
/// (sched_setattr(2)).
fn set(steps: i32) -> nix::Result<()> {
    let attributes = libc::sched_attr {
        size: size_of::<libc::sched_attr>() as u32,
        sched_policy: libc::SCHED_OTHER as u32,
        sched_flags: 0,
        sched_nice: steps,
        sched_priority: 0,
        sched_runtime: SLICE.as_nanos() as u64,
        sched_deadline: 0,
        sched_period: 0,
    };
    // SAFETY: the call reads as many octets as `size` says, of a value that lives until it returns; 0 is the calling
    // thread, and there are no flags.
    let result = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
    Errno::result(result).map(drop)
}

/// Lets whoever waits for this processor have it now.
///
/// A thread that wakes up just after it has had more than its part is not run before the one that is running has caught
/// up, and the kernel looks at that at the next tick, some milliseconds later, or here.
pub fn give_way() {
    rustix::thread::sched_yield();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_of_this_thread_become_precise() {
        precise_timers().unwrap();
        assert_eq!(prctl::get_timerslack().unwrap(), 1);
    }

    /// The steps of the calling thread, and the piece that it asks for; an older kernel does not say that.
    fn attributes() -> (i32, Option<Duration>) {
        let mut read = std::mem::MaybeUninit::<libc::sched_attr>::zeroed();
        let size = size_of::<libc::sched_attr>();
        // SAFETY: the call writes `size` octets at most, for which there is room; zeros are good attributes, too.
        let read = unsafe {
            Errno::result(libc::syscall(libc::SYS_sched_getattr, 0, read.as_mut_ptr(), size, 0)).unwrap();
            read.assume_init()
        };
        let slice = Duration::from_nanos(read.sched_runtime);
        (read.sched_nice, Some(slice).filter(|slice| !slice.is_zero()))
    }

    #[test]
    fn only_the_calling_thread_steps_back_and_forward() {
        let before = attributes();
        std::thread::spawn(move || {
            let piece = before.1.map(|_| SLICE);
            step_forward().unwrap();
            assert_eq!(attributes(), (before.0, piece));
            step_back(10).unwrap();
            assert_eq!(attributes(), (10, piece));
            step_forward().unwrap();
            assert_eq!(attributes(), (10, piece), "its part is as large as before");
        })
        .join()
        .unwrap();
        assert_eq!(attributes(), before);
    }
}
