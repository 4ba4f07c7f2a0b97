//! The keys of what can be done to something. A kind of fault has the same key wherever it is offered.

use api::{Command, FaultKind, Offer};

/// What puts everything right again.
pub(crate) const RESTORE_KEY: char = 'R';

/// Puts everything right again.
pub(crate) fn restore_everything() -> Command {
    Command { kind: FaultKind::Restore, target: "everything".to_owned() }
}

/// As it is written on the command line: `power-cut site london`.
pub(crate) fn sentence(command: &Command) -> String {
    format!("{} {}", command.kind, command.target)
}

/// Each offer with its key. The second and further ones of a kind have digits; beyond nine of those there is the list
/// only.
pub(crate) fn keys(offers: &[Offer]) -> Vec<(Option<char>, &Offer)> {
    let mut digits = '1'..='9';
    let mut keys: Vec<(Option<char>, &Offer)> = Vec::new();
    for offer in offers {
        let letter = letter(offer.command.kind);
        let taken = keys.iter().any(|(key, _)| *key == Some(letter));
        keys.push((if taken { digits.next() } else { Some(letter) }, offer));
    }
    keys
}

fn letter(kind: FaultKind) -> char {
    match kind {
        FaultKind::Kill => 'k',
        FaultKind::Hang => 'g',
        FaultKind::Reboot => 'b',
        FaultKind::PowerCut => 'p',
        FaultKind::Cut => 'c',
        FaultKind::Blackhole => 's',
        FaultKind::HalfBroken => 'h',
        FaultKind::Flap => 'f',
        FaultKind::Urpf => 'u',
        FaultKind::Shift => 't',
        FaultKind::Flood => 'o',
        FaultKind::Starve => 'v',
        FaultKind::Remove => 'a',
        FaultKind::Drain => 'd',
        FaultKind::Withdraw => 'w',
        FaultKind::Resume => 'm',
        FaultKind::Drop => 'x',
        FaultKind::End => 'e',
        FaultKind::Change => 'n',
        FaultKind::Reload => 'l',
        FaultKind::Restart => 'y',
        FaultKind::Send => 'i',
        FaultKind::Join => 'j',
        FaultKind::Leave => 'z',
        FaultKind::Restore => 'r',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const KINDS: [FaultKind; 25] = [
        FaultKind::Kill,
        FaultKind::Hang,
        FaultKind::Reboot,
        FaultKind::PowerCut,
        FaultKind::Cut,
        FaultKind::Blackhole,
        FaultKind::HalfBroken,
        FaultKind::Flap,
        FaultKind::Urpf,
        FaultKind::Shift,
        FaultKind::Flood,
        FaultKind::Starve,
        FaultKind::Remove,
        FaultKind::Drain,
        FaultKind::Withdraw,
        FaultKind::Resume,
        FaultKind::Drop,
        FaultKind::End,
        FaultKind::Change,
        FaultKind::Reload,
        FaultKind::Restart,
        FaultKind::Send,
        FaultKind::Join,
        FaultKind::Leave,
        FaultKind::Restore,
    ];

    fn offer(kind: FaultKind, target: &str) -> Offer {
        Offer { label: kind.to_string(), command: Command { kind, target: target.to_owned() } }
    }

    #[test]
    fn every_kind_has_a_key_of_its_own_and_none_that_means_something_else() {
        let letters: BTreeSet<char> = KINDS.map(letter).into();
        assert_eq!(letters.len(), KINDS.len());
        assert!(['q', '?', RESTORE_KEY].iter().all(|taken| !letters.contains(taken)));
    }

    #[test]
    fn no_two_offers_share_a_key() {
        let twice = KINDS.iter().chain(&KINDS).map(|kind| offer(*kind, "site london")).collect::<Vec<_>>();
        let keys: Vec<char> = keys(&twice).into_iter().filter_map(|(key, _)| key).collect();
        assert_eq!(keys.len(), KINDS.len() + 9);
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    }
}
