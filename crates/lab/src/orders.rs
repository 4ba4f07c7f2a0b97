//! What a person asks the lab to do: by a button of the page or by `catchment lab fault`.

use crate::clock;
use crate::fault::Fault;
use crate::running::{Lab, lock};
use crate::sentence::SentenceError;
use crate::story::{Happening, milliseconds};
use api::{Command, Done, FaultKind, Refusal, Schema};

impl Lab {
    /// Carries a command out, and remembers the fault until it is restored.
    pub fn order(&self, command: &Command) -> Result<Done, Refusal> {
        let (fault, target) = understand(command)?;
        let said = self.carry_out(&fault).map_err(|error| Refusal::because(error.to_string()))?;
        self.remember(command.kind, target);
        self.story.tell(&Happening::Fault { said: said.clone() });
        Ok(Done { schema: Schema, said })
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

/// The fault that is meant, and its target in full. Who writes only a name means the site of that name, or the part of it
/// that is a possible target: first its service; who writes two nodes means the cable between them.
fn understand(command: &Command) -> Result<(Fault, String), Refusal> {
    let mut first_error = None;
    for noun in ["", "site ", "service ", "cable ", "daemon ", "address "] {
        let target = format!("{noun}{}", command.target);
        match format!("{} {target}", command.kind).parse::<Fault>() {
            Ok(fault) => return Ok((fault, target)),
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
            understand(&command).map(|(_, target)| target).map_err(|refusal| refusal.error)
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
