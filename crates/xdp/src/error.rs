//! Why the programs cannot be loaded, and what to do about it. A daemon without them runs on.

use aya::EbpfError;
use aya::maps::MapError;
use aya::pin::PinError;
use aya::programs::ProgramError;
use aya::programs::links::LinkError;
use std::io;
use std::path::PathBuf;

/// Why connections cannot be looked after. Each says what is missing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The process may not.
    #[error(
        "the kernel does not let this process load programs: it needs the capabilities CAP_BPF and CAP_NET_ADMIN, \
         in the first user namespace"
    )]
    NotPermitted,
    /// The kernel does not have what the programs call.
    #[error("the kernel is Linux {running}, and the programs need {} or later", Error::OLDEST)]
    OldKernel {
        /// What it calls itself.
        running: String,
    },
    /// There is nowhere to pin tables.
    #[error("{} is not in a file system for BPF: mount one with `mount -t bpf bpf /sys/fs/bpf`", .0.display())]
    NoFileSystem(PathBuf),
    /// The directory cannot be made or read.
    #[error("cannot use {}: {source}", .path.display())]
    Directory {
        /// Where the tables were to be pinned.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The kernel's own check of a program.
    #[error("the kernel refuses the program {program}: {reason}")]
    Refused {
        /// Its name.
        program: &'static str,
        /// The kernel's answer, and the end of its log.
        reason: String,
    },
    /// What is pinned, or what was built in, is not what belongs to this program.
    #[error("{what} does not fit to this program: {reason}")]
    Unfit {
        /// The table, the program or the pin.
        what: String,
        /// Why.
        reason: String,
    },
    /// The interface takes no program.
    #[error("cannot attach to interface {interface}: {reason}")]
    NotAttached {
        /// Its name.
        interface: String,
        /// The kernel's answers, in the order of what was tried.
        reason: String,
    },
    /// The filter of a site is larger than the tables have room for.
    #[error("the flow filter of site {site} has {blocks} blocks, and there is room for {room}")]
    FilterTooLarge {
        /// The site's number.
        site: u8,
        /// Blocks of its filter.
        blocks: usize,
        /// Blocks that a filter may have.
        room: usize,
    },
    /// A table cannot be read or written.
    #[error("cannot {attempt}: {reason}")]
    Table {
        /// What was tried.
        attempt: &'static str,
        /// The kernel's answer.
        reason: String,
    },
}

impl Error {
    /// The first kernel with every function that the programs call (`bpf_xdp_load_bytes`).
    pub const OLDEST: &str = "5.18";

    pub(crate) fn table(attempt: &'static str) -> impl FnOnce(MapError) -> Error {
        move |error| Error::Table { attempt, reason: chain(&error) }
    }

    pub(crate) fn unfit(what: impl Into<String>) -> impl FnOnce(MapError) -> Error {
        move |error| Error::Unfit { what: what.into(), reason: chain(&error) }
    }

    /// Why the object's tables could not be made.
    pub(crate) fn of_loading(error: &EbpfError) -> Error {
        if is_denied(error) {
            return Error::NotPermitted;
        }
        Error::Unfit { what: "the programs' object".to_owned(), reason: chain(error) }
    }

    /// Why a program was not taken.
    pub(crate) fn of_program(program: &'static str, error: &ProgramError) -> Error {
        match error {
            ProgramError::LoadError { io_error, verifier_log } => {
                let log = verifier_log.to_string();
                if log.is_empty() && io_error.kind() == io::ErrorKind::PermissionDenied {
                    return Error::NotPermitted;
                }
                let lines: Vec<&str> = log.lines().collect();
                let end = lines[lines.len().saturating_sub(20)..].join("\n");
                Error::Refused { program, reason: format!("{io_error}\n{end}") }
            }
            other => Error::Refused { program, reason: chain(other) },
        }
    }

    pub(crate) fn not_attached(interface: &str, reasons: &[String]) -> Error {
        Error::NotAttached { interface: interface.to_owned(), reason: reasons.join("; ") }
    }

    pub(crate) fn pin(what: impl Into<String>, error: &PinError) -> Error {
        Error::Unfit { what: what.into(), reason: chain(error) }
    }

    pub(crate) fn link(what: impl Into<String>, error: &LinkError) -> Error {
        Error::Unfit { what: what.into(), reason: chain(error) }
    }
}

fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |cause| cause.source())
}

/// Whether the kernel's answer at the bottom of it is that this may not be.
fn is_denied(error: &(dyn std::error::Error + 'static)) -> bool {
    let answers = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
    answers.into_iter().any(|answer| answer.kind() == io::ErrorKind::PermissionDenied)
}

/// An error with everything that it is caused by.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    causes(error).fold(String::new(), |text, cause| {
        let cause = cause.to_string();
        match text.as_str() {
            "" => cause,
            told if told.contains(&cause) => text,
            _ => format!("{text}: {cause}"),
        }
    })
}
