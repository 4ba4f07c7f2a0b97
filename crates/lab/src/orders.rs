//! What a person asks the lab to do: by a button of the page or by `catchment lab fault`.

use crate::clock;
use crate::fault::Fault;
use crate::running::{Lab, lock};
use crate::story::{Happening, milliseconds};
use api::{Command, Done, FaultKind, Refusal, Schema};

impl Lab {
    /// Carries a command out, and remembers the fault until it is restored.
    pub fn order(&self, command: &Command) -> Result<Done, Refusal> {
        let fault: Fault = format!("{} {}", command.kind, command.target).parse().map_err(
            |error: crate::sentence::SentenceError| {
                let refusal = Refusal::because(error.to_string());
                error.hint().into_iter().fold(refusal, Refusal::hint)
            },
        )?;
        let said = self.carry_out(&fault).map_err(|error| Refusal::because(error.to_string()))?;
        self.remember(command);
        self.story.tell(&Happening::Fault { said: said.clone() });
        Ok(Done { schema: Schema, said })
    }

    fn remember(&self, command: &Command) {
        let mut faults = lock(&self.faults);
        match command.kind {
            FaultKind::Restore if command.target == "everything" => faults.clear(),
            FaultKind::Restore => faults.retain(|fault| !is_undone_by(&fault.target, &command.target)),
            FaultKind::Kill
            | FaultKind::Hang
            | FaultKind::Reboot
            | FaultKind::PowerCut
            | FaultKind::Cut
            | FaultKind::Blackhole => {
                let since_ms = milliseconds(clock::now(), self.began);
                let (kind, target) = (command.kind, command.target.clone());
                faults.retain(|fault| (fault.kind, &fault.target) != (kind, &target));
                faults.push(api::Fault { kind, target, since_ms });
            }
        }
    }
}

/// Restoring a site restores its parts, too.
fn is_undone_by(fault: &str, restored: &str) -> bool {
    let part = |target: &str| target.split_once(' ').map(|(kind, name)| (kind.to_owned(), name.to_owned()));
    match (part(fault), part(restored)) {
        (Some((kind, of)), Some((whole, name))) => of == name && (kind == whole || whole == "site"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restoring_a_site_restores_its_parts_and_nothing_else() {
        assert!(is_undone_by("service london", "site london"));
        assert!(is_undone_by("site london", "site london"));
        assert!(is_undone_by("cable a-b - c-d", "cable a-b - c-d"));
        assert!(!is_undone_by("service london", "daemon london"));
        assert!(!is_undone_by("site tokyo", "site london"));
    }
}
