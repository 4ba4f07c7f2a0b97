//! `catchment lab new`: a world file to begin with.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The world that a new file has.
pub const STARTING_WORLD: &str = include_str!("starting-world.toml");
/// Where it is written when nobody says.
pub const DEFAULT_FILE: &str = "world.toml";

/// Why no world was written.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// There is something already.
    #[error("{} is there already, and stays as it is: name another file", .0.display())]
    Exists(PathBuf),
    /// The system refused.
    #[error("cannot write {}: {error}", .path.display())]
    Unwritable {
        /// Where to.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// Writes a world to begin with; never over something that is there.
pub fn new_world(path: &Path) -> Result<(), NewError> {
    let write = || File::create_new(path)?.write_all(STARTING_WORLD.as_bytes());
    write().map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => NewError::Exists(path.to_owned()),
        _ => NewError::Unwritable { path: path.to_owned(), error },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::world::{Program, World};

    #[test]
    fn the_starting_world_is_good_as_it_is_and_with_everything_switched_on() {
        let world = World::parse("world.toml", STARTING_WORLD).unwrap_or_else(|faults| panic!("{faults}"));
        Plan::new(&world).unwrap();
        let on: String = STARTING_WORLD
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(rest) if !rest.is_empty() && !rest.starts_with(' ') => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let world = World::parse("world.toml", &on).unwrap_or_else(|faults| panic!("{faults}"));
        Plan::new(&world).unwrap();
        assert_eq!((world.networks[1].program, world.sites[0].hosts), (Program::Frr, 2));
        assert_eq!((world.exchanges.len(), world.clients.len(), world.overrides.len()), (1, 6, 1));
        assert!(world.operation.fleet.is_some());
    }

    #[test]
    fn nothing_is_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("world.toml");
        new_world(&path).unwrap();
        std::fs::write(&path, "mine").unwrap();
        assert!(matches!(new_world(&path), Err(NewError::Exists(_))));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        assert!(matches!(new_world(&path.join("below")), Err(NewError::Unwritable { .. })));
    }
}
