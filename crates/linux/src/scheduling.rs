//! How soon the kernel runs a thread.

use crate::Result;
use crate::error::Attempt;
use nix::errno::Errno;
use nix::libc;
use nix::sys::prctl;

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
/// many steps of nice(2), 19 at most. Ten steps leave it a tenth of a processor that another thread wants, too.
pub fn step_back(steps: u8) -> Result<()> {
    rustix::process::setpriority_process(None, i32::from(steps)).attempt(|| "let other threads run first")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_of_this_thread_become_precise() {
        precise_timers().unwrap();
        assert_eq!(prctl::get_timerslack().unwrap(), 1);
    }
    #[test]
    fn only_the_calling_thread_steps_back() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        std::thread::spawn(move || {
            step_back(10).unwrap();
            assert_eq!(nice(), 10);
        })
        .join()
        .unwrap();
        assert_eq!(nice(), before);
    }
}
