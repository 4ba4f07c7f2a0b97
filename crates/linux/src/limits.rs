//! What the process may use (getrlimit(2)).

use crate::Result;
use crate::error::Attempt;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Allows so many descriptors, or as many as whoever started the process allows. Returns how many may be open.
pub fn allow_descriptors(wanted: u64) -> Result<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // None is no limit.
    let allowed = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    match current {
        Some(current) if current < allowed => {
            let limit = Rlimit { current: Some(allowed), maximum };
            setrlimit(Resource::Nofile, limit).attempt(|| format!("allow {allowed} descriptors"))?;
            Ok(allowed)
        }
        current => Ok(current.unwrap_or(u64::MAX)),
    }
}

/// Lets threads of the process run in real time ([`real_time`](crate::scheduling::real_time)) without a capability:
/// at the lowest priority there is, and not if whoever started the process took care that they must not.
pub fn allow_real_time() -> Result<()> {
    let lowest = Rlimit { current: Some(1), maximum: Some(1) };
    setrlimit(Resource::Rtprio, lowest).attempt(|| "allow real time")
}

/// No core file will ever hold what is in memory: keys of sessions, for example.
pub fn forbid_core_files() -> Result<()> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none).attempt(|| "forbid core files")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_allowed_up_to_the_hard_limit_and_never_taken_away() {
        let hard = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
        let many = allow_descriptors(u64::MAX).unwrap();
        assert_eq!(many, hard);
        assert_eq!(allow_descriptors(1).unwrap(), hard);
    }

    #[test]
    fn core_files_are_forbidden_for_good() {
        forbid_core_files().unwrap();
        let Rlimit { current, maximum } = getrlimit(Resource::Core);
        assert_eq!((current, maximum), (Some(0), Some(0)));
    }
}
