//! Who is behind a connection to the control socket, and what is believed of it.

use axum::serve::Listener;
use nix::unistd::{Uid, User};
use std::io;
use terms::Reason;
use tokio::net::{UnixListener, UnixStream};

/// The process at the other end, as the kernel says (`SO_PEERCRED`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Its user; none where the kernel does not say.
    pub(crate) uid: Option<u32>,
}

/// The control socket as a server wants it: each connection with its caller.
#[derive(Debug)]
pub(crate) struct Callers(pub(crate) UnixListener);

impl Listener for Callers {
    type Io = UnixStream;
    type Addr = Caller;

    async fn accept(&mut self) -> (UnixStream, Caller) {
        let (stream, _) = Listener::accept(&mut self.0).await;
        let uid = stream.peer_cred().ok().map(|credentials| credentials.uid());
        (stream, Caller { uid })
    }

    fn local_addr(&self) -> io::Result<Caller> {
        Ok(Caller { uid: Some(Uid::current().as_raw()) })
    }
}

impl Caller {
    /// The person, in words. Root may speak for others, as `sudo` does; of anybody else only what the kernel says is
    /// believed.
    pub(crate) async fn person(self, claimed: Option<String>) -> Reason {
        let somebody = || Reason::from("somebody");
        let Some(uid) = self.uid else { return somebody() };
        let claimed = claimed.filter(|who| who.chars().count() <= api::Order::LONGEST_WHO);
        // The names of users may be on another machine.
        let look_up = move || {
            let known = User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.name);
            in_words(uid, known.as_deref(), claimed.as_deref())
        };
        tokio::task::spawn_blocking(look_up).await.unwrap_or_else(|_| somebody())
    }
}

fn in_words(uid: u32, known: Option<&str>, claimed: Option<&str>) -> Reason {
    Reason::from(match (uid, claimed.filter(|name| !name.trim().is_empty()), known) {
        (0, Some(name), _) if name != "root" => format!("{} (as root)", name.trim()),
        (0, _, _) => "root".to_owned(),
        (uid, _, Some(name)) => format!("{name} (uid {uid})"),
        (uid, _, None) => format!("uid {uid}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_may_say_who_it_is() {
        let words = |uid, known, claimed| in_words(uid, known, claimed).as_str().to_owned();
        assert_eq!(words(0, Some("root"), Some("alice")), "alice (as root)");
        assert_eq!(words(0, Some("root"), Some("root")), "root");
        assert_eq!(words(0, None, None), "root");
        assert_eq!(words(1000, Some("bob"), Some("alice")), "bob (uid 1000)");
        assert_eq!(words(1000, None, Some("root")), "uid 1000");
        assert_eq!(words(0, None, Some("\x1b[2J")), "\u{fffd}[2J (as root)");
    }
}
