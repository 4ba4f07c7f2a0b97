//! What somebody asks the lab to do: a person by a button of the page or by `catchment lab fault`, or a scenario.

use crate::clock;
use crate::delivery::TRAVEL;
use crate::fault::{Fault, FaultError};
use crate::running::{Lab, lock};
use crate::sentence::SentenceError;
use crate::story::{Happening, milliseconds};
use api::{Command, Done, FaultKind, Refusal, Schema};
use std::thread;

impl Lab {
    /// Does what a command says.
    pub fn order(&self, command: &Command) -> Result<Done, Refusal> {
        let fault = understand(command)?;
        let mut said = self.perform(&fault).map_err(|error| Refusal::because(error.to_string()))?;
        if fault.sends() {
            // Others may send while it travels.
            let sent = self.last_sent();
            thread::sleep(TRAVEL);
            let receivers = sent.and_then(|number| self.message(number)).map(|message| message.receivers());
            said.extend(receivers.map(|receivers| format!("; received by {receivers}")));
        }
        Ok(Done { schema: Schema, said })
    }

    /// Does something to the world, tells the story of it, and remembers the fault until it is restored; what was done,
    /// in words.
    pub(crate) fn perform(&self, fault: &Fault) -> Result<String, FaultError> {
        let said = self.carry_out(fault)?;
        if let Some((kind, target)) = kind_and_target(fault) {
            self.remember(fault, kind, target);
        }
        self.story.tell(&happening(fault, &said));
        Ok(said)
    }

    fn remember(&self, fault: &Fault, kind: FaultKind, target: String) {
        let mut faults = lock(&self.faults);
        match kind {
            FaultKind::Restore => faults.retain(|known| !self.is_undone(known, fault)),
            // The site says by itself what its operator ordered, and puts its addresses back. What hosts do is no fault.
            FaultKind::Send
            | FaultKind::Join
            | FaultKind::Leave
            | FaultKind::Remove
            | FaultKind::Change
            | FaultKind::Drain
            | FaultKind::Withdraw
            | FaultKind::Resume
            | FaultKind::Drop
            | FaultKind::End
            | FaultKind::Reload
            | FaultKind::Restart => {}
            FaultKind::Kill
            | FaultKind::Hang
            | FaultKind::Reboot
            | FaultKind::PowerCut
            | FaultKind::Cut
            | FaultKind::Blackhole
            | FaultKind::HalfBroken
            | FaultKind::Urpf
            | FaultKind::Shift
            | FaultKind::Flood
            | FaultKind::Flap
            | FaultKind::Starve => {
                let since_ms = milliseconds(clock::now(), self.began);
                faults.retain(|known| (known.kind, &known.target) != (kind, &target));
                faults.push(api::Fault { kind, target, since_ms });
            }
        }
    }

    /// Whether a fault is in force that this would restore.
    pub(crate) fn is_struck(&self, restore: &str) -> bool {
        let Ok(restore) = restore.parse::<Fault>() else { return false };
        lock(&self.faults).iter().any(|known| self.is_undone(known, &restore))
    }

    fn is_undone(&self, known: &api::Fault, by: &Fault) -> bool {
        let known = format!("{} {}", known.kind, known.target).parse::<Fault>();
        known.is_ok_and(|known| by.undoes(&known, |node, site| self.is_of(node, site)))
    }
}

/// What the story tells of a fault that was carried out. What its operator was answered, the site tells in events of its own.
fn happening(fault: &Fault, said: &str) -> Happening {
    match fault {
        Fault::JoinGroup { .. }
        | Fault::LeaveGroup { .. }
        | Fault::OpenConnections { .. }
        | Fault::OpenDnsConnections { .. }
        | Fault::OpenStreamConnections { .. }
        | Fault::BeginTransfers { .. } => Happening::Delivery { said: said.to_owned() },
        fault if fault.sends() => Happening::Delivery { said: said.to_owned() },
        fault => Happening::Fault { said: fault.done() },
    }
}

/// The first word of a fault's sentence, and the rest; none for what only scenarios do.
fn kind_and_target(fault: &Fault) -> Option<(FaultKind, String)> {
    let sentence = fault.to_string();
    let (kind, target) = sentence.split_once(' ')?;
    let kind = serde_json::from_value(kind.into()).ok()?;
    Some((kind, target.to_owned()))
}

/// The fault that is meant. Who writes only a name means the site of that name, or the part of it that is a possible
/// target: first its service; who writes two nodes means the cable between them.
fn understand(command: &Command) -> Result<Fault, Refusal> {
    let mut first_error = None;
    for noun in ["", "site ", "service ", "cable ", "daemon ", "address ", "router ", "from ", "node "] {
        let target = format!("{noun}{}", command.target);
        match format!("{} {target}", command.kind).parse::<Fault>() {
            Ok(fault) => return Ok(fault),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.map_or_else(
        || Refusal::because("there is no such fault"),
        |error: SentenceError| {
            let refusal = Refusal::because(error.to_string());
            error.hint().into_iter().fold(refusal, Refusal::hint)
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::words::NodeName;
    use terms::SiteName;

    #[test]
    fn a_bare_name_is_a_site_or_its_service_and_two_nodes_are_a_cable() {
        let meant = |kind, target: &str| {
            let command = Command { kind, target: target.to_owned() };
            let fault = understand(&command).map_err(|refusal| refusal.error)?;
            kind_and_target(&fault).map(|(_, target)| target).ok_or(String::new())
        };
        assert_eq!(meant(FaultKind::PowerCut, "london"), Ok("site london".to_owned()));
        assert_eq!(meant(FaultKind::PowerCut, "site london"), Ok("site london".to_owned()));
        assert_eq!(meant(FaultKind::Restore, "london"), Ok("site london".to_owned()));
        assert_eq!(meant(FaultKind::Kill, "london"), Ok("service london".to_owned()));
        assert_eq!(meant(FaultKind::Cut, "a-b - c-d"), Ok("cable a-b - c-d".to_owned()));
        assert_eq!(meant(FaultKind::Starve, "london"), Ok("daemon london".to_owned()));
        assert_eq!(meant(FaultKind::Remove, "london"), Ok("address london".to_owned()));
        assert_eq!(meant(FaultKind::Drain, "london"), Ok("site london".to_owned()));
        assert_eq!(meant(FaultKind::Flap, "london every 2s"), Ok("service london every 2s".to_owned()));
        assert_eq!(meant(FaultKind::Kill, "store"), Ok("store".to_owned()));
        let drop = "198.18.0.99 at site london for 30m";
        assert_eq!(meant(FaultKind::Drop, drop), Ok(drop.to_owned()));
        assert!(meant(FaultKind::Drop, "london").is_err());
        assert_eq!(meant(FaultKind::Urpf, "a-b"), Ok("router a-b".to_owned()));
        assert_eq!(meant(FaultKind::Shift, "a-b away from c-d"), Ok("router a-b away from c-d".to_owned()));
        assert_eq!(
            meant(FaultKind::Flood, "tokyo at 100 per second"),
            Ok("from tokyo at 100 per second".to_owned())
        );
        assert_eq!(
            meant(FaultKind::HalfBroken, "london losing 30%"),
            Ok("site london losing 30%".to_owned())
        );
        assert!(meant(FaultKind::Cut, "london").is_err());
    }

    #[test]
    fn an_order_is_one_sentence_of_the_story() {
        let answered =
            "an operator withdraws tokyo: dns went from up (normal) to off (none) PREFIX PEER HAS GETS";
        let told = |fault: &str| happening(&fault.parse().unwrap(), answered).to_string();
        assert_eq!(told("withdraw site tokyo"), "an operator withdraws tokyo");
        assert_eq!(told("drain site tokyo"), "an operator drains tokyo");
        assert_eq!(told("kill service tokyo"), "the service of tokyo was killed");
    }

    #[test]
    fn restoring_a_site_restores_its_parts_and_nothing_else() {
        let is_of = |node: &NodeName, site: &SiteName| node.as_str().ends_with(site.as_str());
        let undone = |known: &str, by: &str| {
            let [known, by] = [known, by].map(|text| text.parse::<Fault>().unwrap());
            by.undoes(&known, is_of)
        };
        for (known, by) in [
            ("kill service london", "restore site london"),
            ("power-cut site london", "restore site london"),
            ("power-cut host site-london", "restore site london"),
            ("flood from any-london at 5 per second", "restore site london"),
            ("flap service london every 1500ms", "restore service london"),
            ("starve daemon london", "restore daemon london"),
            ("cut cable a-b - c-d", "restore cable c-d - a-b"),
            ("half-broken cable a-b - c-d losing 30%", "restore cable a-b - c-d"),
            ("flap cable a-b - c-d every 2s", "restore cable a-b - c-d"),
            ("urpf router a-b", "restore node a-b"),
            ("shift router a-b away from c-d", "restore node a-b"),
            ("kill store", "restore store"),
            ("cut backbone", "restore everything"),
        ] {
            assert!(undone(known, by), "{by} undoes {known}");
        }
        for (known, by) in [
            ("kill store", "restore backbone"),
            ("kill service london", "restore daemon london"),
            ("power-cut site tokyo", "restore site london"),
            ("urpf router a-tokyo", "restore site london"),
            ("shift router a-b away from c-d", "restore node c-d"),
            ("cut cable a-b - c-d", "restore cable a-b - e-f"),
            ("kill daemon london", "drain site london"),
        ] {
            assert!(!undone(known, by), "{by} does not undo {known}");
        }
    }
}
