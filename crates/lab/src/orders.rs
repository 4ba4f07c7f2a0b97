//! What somebody asks the lab to do: a person by a button of the page or by `catchment lab fault`, or a scenario.

use crate::clock;
use crate::fault::{Fault, FaultError};
use crate::running::{Lab, lock};
use crate::sentence::SentenceError;
use crate::story::{Happening, milliseconds};
use api::{Command, Done, FaultKind, Refusal, Schema};

impl Lab {
    /// Does what a command says.
    pub fn order(&self, command: &Command) -> Result<Done, Refusal> {
        let fault = understand(command)?;
        let said = self.perform(&fault).map_err(|error| Refusal::because(error.to_string()))?;
        Ok(Done { schema: Schema, said })
    }

    /// Does something to the world, tells the story of it, and remembers the fault until it is restored; what was done,
    /// in words.
    pub(crate) fn perform(&self, fault: &Fault) -> Result<String, FaultError> {
        let said = self.carry_out(fault)?;
        if let Some((kind, target)) = kind_and_target(fault) {
            self.remember(kind, target);
        }
        self.story.tell(&Happening::Fault { said: said.clone() });
        Ok(said)
    }

    fn remember(&self, kind: FaultKind, target: String) {
        let mut faults = lock(&self.faults);
        match kind {
            FaultKind::Restore if target == "everything" => faults.clear(),
            FaultKind::Restore => faults.retain(|fault| !is_undone_by(&fault.target, &target)),
            // The site says by itself what its operator ordered, and puts its addresses back.
            FaultKind::Remove
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
            | FaultKind::Flap
            | FaultKind::Starve => {
                let since_ms = milliseconds(clock::now(), self.began);
                faults.retain(|fault| (fault.kind, &fault.target) != (kind, &target));
                faults.push(api::Fault { kind, target, since_ms });
            }
        }
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
    for noun in ["", "site ", "service ", "cable ", "daemon ", "address "] {
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

/// Restoring a site restores its parts, too.
fn is_undone_by(fault: &str, restored: &str) -> bool {
    let part = |target: &str| target.split_once(' ').map(|(kind, name)| (kind.to_owned(), name.to_owned()));
    match (part(fault), part(restored)) {
        // A service that flaps has the time of it behind its name.
        (Some((kind, of)), Some((whole, name))) => {
            let is_of_it = of == name || of.split_once(" every ").is_some_and(|(of, _)| of == name);
            is_of_it && (kind == whole || whole == "site")
        }
        _ => fault == restored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(meant(FaultKind::Cut, "london").is_err());
    }

    #[test]
    fn restoring_a_site_restores_its_parts_and_nothing_else() {
        assert!(is_undone_by("service london", "site london"));
        assert!(is_undone_by("site london", "site london"));
        assert!(is_undone_by("cable a-b - c-d", "cable a-b - c-d"));
        assert!(is_undone_by("service london every 1500ms", "service london"));
        assert!(is_undone_by("service london every 1500ms", "site london"));
        assert!(is_undone_by("store", "store"));
        assert!(!is_undone_by("store", "backbone"));
        assert!(!is_undone_by("service london", "daemon london"));
        assert!(!is_undone_by("site tokyo", "site london"));
    }
}
