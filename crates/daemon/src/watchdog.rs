//! The dead man's switch: when the decision loop hangs or a thread panics, the process ends, the kernel closes the BGP
//! sessions that live in it, and the peers withdraw. A process that cannot decide must not stay announced.
//!
//! The decision loop and every DNS worker beat by adding to a counter of their own; a thread looks at all of them. The
//! thread counts its own looks, not elapsed time: a process that was stopped as a whole (a debugger, a paused VM) did not hang, and is not killed
//! for it when it continues.

use sd_notify::NotifyState;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Silence of a heart after which the process ends.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Longest time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often a heart beats at least; well below [`PATIENCE`].
pub(crate) const BEAT_EVERY: Duration = Duration::from_secs(1);

/// What a loop beats that must not hang.
#[derive(Clone, Debug)]
pub(crate) struct Heart {
    /// Whose it is, for the last words.
    whose: &'static str,
    beats: Arc<AtomicU64>,
}

impl Heart {
    /// The heart of something that has not beaten yet.
    pub(crate) fn of(whose: &'static str) -> Self {
        Heart { whose, beats: Arc::default() }
    }

    /// One sign of life.
    pub(crate) fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it has beaten.
    pub(crate) fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }
}

/// Every heart that is looked at. A copy is the same list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hearts(Arc<Mutex<Vec<(Heart, Pulse)>>>);

impl Hearts {
    /// From now on this one is looked at, for as long as anybody else holds it.
    pub(crate) fn add(&self, heart: Heart) {
        self.list().push((heart, Pulse::default()));
    }

    fn list(&self) -> MutexGuard<'_, Vec<(Heart, Pulse)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at all of them. Answers whose heart has been silent for that many looks; none if there is life in each.
    fn look(&self, allowed: u32) -> Option<&'static str> {
        let mut hearts = self.list();
        // A server that was stopped in order has let go of the hearts of its threads.
        hearts.retain(|(heart, _)| Arc::strong_count(&heart.beats) > 1);
        let dead =
            hearts.iter_mut().find_map(|(heart, pulse)| (!pulse.look(heart, allowed)).then_some(heart));
        dead.map(|heart| heart.whose)
    }

    fn all_beat(&self) -> bool {
        self.list().iter().all(|(_, pulse)| pulse.silent_looks == 0)
    }
}

/// Judges a series of looks at one heart.
#[derive(Debug, Default)]
struct Pulse {
    seen: u64,
    silent_looks: u32,
}

impl Pulse {
    /// Whether there still is life.
    fn look(&mut self, heart: &Heart, allowed: u32) -> bool {
        let beats = heart.beats();
        self.silent_looks = if beats == self.seen { self.silent_looks + 1 } else { 0 };
        self.seen = beats;
        self.silent_looks < allowed
    }
}

/// Silent looks after which the process ends.
fn allowed(look_every: Duration) -> u32 {
    let looks = PATIENCE.as_millis() / look_every.as_millis().max(1);
    u32::try_from(looks).unwrap_or(u32::MAX)
}

/// Starts the thread that looks at the hearts, and tells the service manager's own watchdog where there is one
/// (`WatchdogSec=` of systemd) as long as all of them beat.
pub(crate) fn watch(hearts: Hearts) -> std::io::Result<()> {
    let manager_waits = sd_notify::watchdog_enabled();
    let look_every = manager_waits.map_or(LOOK_EVERY, |limit| LOOK_EVERY.min(limit / 2));
    let allowed = allowed(look_every);
    std::thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(look_every);
            if let Some(whose) = hearts.look(allowed) {
                last_words(format!("{whose} did not beat for 5 s; ending, so that peers withdraw"));
                std::process::abort();
            }
            if manager_waits.is_some() && hearts.all_beat() {
                tell_manager(&[NotifyState::Watchdog]);
            }
        }
    })?;
    Ok(())
}

/// Writes to standard error, which may be what hangs: so on a thread of its own, which gets a moment.
fn last_words(words: impl fmt::Display + Send + 'static) {
    let spoken = std::thread::Builder::new().spawn(move || eprintln!("catchment: {words}"));
    if spoken.is_ok() {
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Makes a panic of any thread or task end the process. A task that died quietly would leave its peers or checks
/// without anybody who looks after them, while the rest goes on announcing.
pub(crate) fn end_on_panic() {
    let describe = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        describe(panic);
        last_words("a part of the daemon broke; ending, so that peers withdraw");
        std::process::abort();
    }));
}

/// Tells the service manager (systemd's `sd_notify`) where the daemon is in its life. Without one, nothing happens.
pub(crate) fn tell_manager(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager could not be told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heart_that_beats_lives_and_one_that_stops_is_noticed_after_the_patience() {
        let (mut pulse, allowed) = (Pulse::default(), allowed(LOOK_EVERY));
        let heart = Heart::of("the test");
        for _ in 0..100 {
            heart.beat();
            assert!(pulse.look(&heart, allowed));
        }
        let looks_alive = (0..100).take_while(|_| pulse.look(&heart, allowed)).count();
        assert_eq!(looks_alive as u64, PATIENCE.as_secs() - 1);
    }

    #[test]
    fn one_beat_between_two_looks_is_enough() {
        let (mut pulse, allowed) = (Pulse::default(), allowed(LOOK_EVERY));
        let heart = Heart::of("the test");
        for look in 0..100 {
            if look % 4 == 0 {
                heart.beat();
            }
            assert!(pulse.look(&heart, allowed), "look {look}");
        }
    }

    #[test]
    fn a_heart_that_nobody_holds_any_more_is_forgotten() {
        let hearts = Hearts::default();
        let held = Heart::of("the test");
        hearts.add(held.clone());
        hearts.add(Heart::of("a server that was stopped"));
        for _ in 0..100 {
            held.beat();
            assert_eq!(hearts.look(2), None);
        }
        assert_eq!(hearts.look(2), None);
        assert_eq!(hearts.look(2), Some("the test"));
    }

    /// Runs this test again in a process of its own, which ends in its own way.
    fn in_a_process_of_its_own(test: &str, part: &str) -> std::process::ExitStatus {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", &format!("watchdog::tests::{test}")]).env(ALONE, part);
        command.output().unwrap().status
    }

    const ALONE: &str = "CATCHMENT_TEST_ALONE";
    const SIGABRT: Option<i32> = Some(6);

    /// Every way in which the daemon runs something. Most of them would swallow a panic.
    const WAYS: [(&str, fn()); 6] = [
        ("a thread", || drop(std::thread::spawn(|| panic!("planted")).join())),
        ("a task", || within_a_runtime(async { drop(tokio::spawn(async { panic!("planted") }).await) })),
        ("a task of a set", || {
            within_a_runtime(async {
                let mut tasks = tokio::task::JoinSet::new();
                tasks.spawn(async { panic!("planted") });
                drop(tasks.join_next().await);
            });
        }),
        ("blocking work", || {
            within_a_runtime(async { drop(tokio::task::spawn_blocking(|| panic!("planted")).await) });
        }),
        ("an answer of the API", || {
            within_a_runtime(async {
                let (listener, _caller) = listening();
                let routes = axum::Router::new()
                    .route("/", axum::routing::get(async || -> &str { panic!("planted") }));
                drop(tokio::time::timeout(PATIENCE, page::answer(listener, routes)).await);
            });
        }),
        ("what catches panics", || drop(std::panic::catch_unwind(|| panic!("planted")))),
    ];

    fn within_a_runtime(run: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run);
    }

    /// A listener, and a caller that has asked already.
    fn listening() -> (tokio::net::TcpListener, std::net::TcpStream) {
        use std::io::Write;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut caller = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        caller.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        listener.set_nonblocking(true).unwrap();
        (tokio::net::TcpListener::from_std(listener).unwrap(), caller)
    }

    #[test]
    fn a_panic_ends_the_process_wherever_it_happens() {
        if let Some(number) = std::env::var_os(ALONE) {
            end_on_panic();
            WAYS[number.to_str().unwrap().parse::<usize>().unwrap()].1();
            return;
        }
        use std::os::unix::process::ExitStatusExt;
        for (number, (way, _)) in WAYS.iter().enumerate() {
            let status =
                in_a_process_of_its_own("a_panic_ends_the_process_wherever_it_happens", &number.to_string());
            assert_eq!(status.signal(), SIGABRT, "{way}");
        }
    }

    #[test]
    fn a_loop_that_does_not_beat_ends_the_process() {
        if std::env::var_os(ALONE).is_some() {
            let (hearts, heart) = (Hearts::default(), Heart::of("the test"));
            hearts.add(heart.clone());
            watch(hearts).unwrap();
            std::thread::sleep(Duration::from_secs(3600));
            drop(heart);
            return;
        }
        use std::os::unix::process::ExitStatusExt;
        assert_eq!(
            in_a_process_of_its_own("a_loop_that_does_not_beat_ends_the_process", "0").signal(),
            SIGABRT
        );
    }
}
