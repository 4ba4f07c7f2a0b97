//! The object that is checked in is what the sources give.

use std::path::Path;
use std::process::Command;

fn sources() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ebpf")
}

#[test]
fn the_sources_give_the_object() {
    let recorded = std::fs::read_to_string(sources().join("compiler")).unwrap();
    let Ok(here) = Command::new("clang").arg("--version").output() else {
        return eprintln!(
            "SKIPPED: there is no clang here; `make install-test` installs the one that is recorded"
        );
    };
    let here = String::from_utf8_lossy(&here.stdout).lines().next().unwrap_or_default().to_owned();
    if here != recorded.trim() {
        return eprintln!("SKIPPED: the object was made by {} and this is {here}", recorded.trim());
    }
    let built = tempfile::tempdir().unwrap();
    let output = Command::new(sources().join("build")).arg(built.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let object = std::fs::read(built.path().join("continuity.o")).unwrap();
    assert!(object == xdp::OBJECT, "ebpf/continuity.o is not what its sources give: run `ebpf/build ebpf`");
}

/// Whoever builds it elsewhere gets the same.
#[test]
fn the_object_names_no_place() {
    let text = String::from_utf8_lossy(xdp::OBJECT);
    let root = sources().canonicalize().unwrap();
    for part in root.components().take(3).skip(1) {
        let part = format!("/{}/", part.as_os_str().to_string_lossy());
        assert!(!text.contains(&part), "{part}");
    }
}
