//! The file of the embedded store after accidents.

use fleet::{Embedded, Key, OpenError, Store, local};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

fn key() -> Key {
    "memories".parse().unwrap()
}

async fn kept(path: &Path) -> Option<u32> {
    local::recall(&Embedded::open(path).unwrap().store, &key()).await.unwrap()
}

#[tokio::test]
async fn what_was_kept_is_there_for_the_next_process() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("made/when/missing/state.redb");
    let store = Embedded::open(&path).unwrap().store;
    for value in [1u32, 2] {
        local::keep(&store, &key(), &value).await.unwrap();
    }
    let before = store.read(&key()).await.unwrap().at;
    drop(store);
    assert_eq!(kept(&path).await, Some(2));
    assert!(Embedded::open(&path).unwrap().store.read(&key()).await.unwrap().at >= before);
}

#[tokio::test]
async fn what_is_not_understood_is_told_and_stays() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(&directory.path().join("state.redb")).unwrap().store;
    local::keep(&store, &key(), &"a text").await.unwrap();
    let strange = local::recall::<u32>(&store, &key()).await.unwrap_err().to_string();
    assert!(strange.starts_with("what was kept as `memories` is not understood: "), "{strange}");
    assert_eq!(local::recall::<String>(&store, &key()).await.unwrap().as_deref(), Some("a text"));
}

#[test]
fn a_file_that_another_process_has_open_is_refused_in_words() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let _open = Embedded::open(&path).unwrap();
    let error = Embedded::open(&path).unwrap_err();
    assert!(matches!(error, OpenError::InUse(_)));
    assert!(
        error
            .to_string()
            .ends_with("state.redb is in use by another process: one daemon per state directory")
    );
}

#[test]
fn a_place_that_cannot_be_is_an_error_and_nothing_is_moved() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "a file where a directory should be").unwrap();
    assert!(matches!(Embedded::open(&file.join("state.redb")), Err(OpenError::Refused { .. })));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_and_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    for (told, name) in [("first", "state.redb.damaged"), ("second", "state.redb.damaged-1")] {
        fs::write(&path, told).unwrap();
        let opened = Embedded::open(&path).unwrap();
        let (_, aside) = opened.damaged.unwrap();
        assert_eq!(aside, directory.path().join(name));
        assert_eq!(fs::read_to_string(aside).unwrap(), told, "it is kept for whoever wants to look");
        local::keep(&opened.store, &key(), &7u32).await.unwrap();
    }
    assert_eq!(kept(&path).await, Some(7));
}

/// Octets are flipped, lost or zeroed everywhere in a good file: it is repaired, told as damaged or read as it was,
/// and no value is ever made up.
#[tokio::test]
async fn no_accident_makes_a_panic_or_a_value_that_nobody_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let store = Embedded::open(&path).unwrap().store;
    for value in 0..20u32 {
        local::keep(&store, &key(), &value).await.unwrap();
    }
    drop(store);
    let good = fs::read(&path).unwrap();
    let mut damaged = 0;
    for step in 0..60 {
        let at = step * good.len() / 60;
        let mut bytes = good.clone();
        match step % 3 {
            0 => bytes[at] ^= 0x10,
            1 => bytes.truncate(at),
            _ => bytes[at..(at + 4096).min(good.len())].fill(0),
        }
        fs::write(&path, bytes).unwrap();
        let opened = Embedded::open(&path).unwrap();
        damaged += u32::from(opened.damaged.is_some());
        let found: Option<u32> = local::recall(&opened.store, &key()).await.unwrap();
        assert!(found.is_none_or(|value| value < 20), "{found:?}");
        assert!(found.is_some() || opened.damaged.is_some() || step % 3 == 1, "a loss is told");
    }
    assert!(damaged > 0, "accidents are noticed");
}

/// Where the process that is to be killed writes.
const WRITER: &str = "CATCHMENT_TEST_WRITER";

async fn write_until_killed(path: &Path) {
    let store = Embedded::open(path).unwrap().store;
    for value in 0u32.. {
        local::keep(&store, &key(), &value).await.unwrap();
        println!("kept {value}");
    }
}

/// It starts itself again, as another process that can be killed in the middle of a write.
#[tokio::test]
async fn a_kill_at_any_moment_leaves_what_was_confirmed() {
    use std::io::{BufRead, BufReader};
    if let Ok(path) = std::env::var(WRITER) {
        return write_until_killed(Path::new(&path)).await;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    for enough in [3, 17, 40] {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "damage::a_kill_at_any_moment_leaves_what_was_confirmed"])
            .env(WRITER, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(writer.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut confirmed = 0;
        for value in lines.filter_map(|line| line.strip_prefix("kept ")?.parse::<u32>().ok()) {
            confirmed = value;
            if value == enough {
                writer.kill().unwrap();
            }
        }
        writer.wait().unwrap();
        assert!(confirmed >= enough);
        let found = kept(&path).await.unwrap();
        assert!(found == confirmed || found == confirmed + 1, "confirmed {confirmed}, found {found}");
    }
}

#[test]
fn nobody_else_reads_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    drop(Embedded::open(&path).unwrap());
    assert_eq!(mode(), 0o600);
    // One that an older release has made.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(Embedded::open(&path).unwrap().damaged.is_none());
    assert_eq!(mode(), 0o600);
}
