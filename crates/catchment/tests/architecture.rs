//! The drawing in ARCHITECTURE.md is true: crates import only what it allows, cores ban what makes them impure, and
//! the functions that its data paths name exist. Each guard is shown to catch a planted fault.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const CORES: [&str; 8] = ["announce", "bfd", "bgp", "check", "continuity", "dns", "query", "transfer"];
/// Pure like the cores, though no machine or function of the product.
const VOCABULARY: &str = "terms";
const BANNED: [&str; 9] = [
    "std::time::Instant",
    "std::time::SystemTime",
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::sync::Mutex",
    "std::thread::JoinHandle",
    "std::fs::File",
];

/// Which crates of ours each crate may import. This is the drawing of ARCHITECTURE.md.
fn allowed(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "terms" => &[],
        "announce" | "bfd" | "bgp" | "check" | "continuity" | "dns" | "query" | "transfer" | "document"
        | "linux" | "api" | "resolver" => &["terms"],
        "xdp" => &["terms", "continuity", "linux"],
        "recording" => &["terms", "announce", "bgp"],
        "fleet" => &["terms", "announce"],
        "page" | "screen" => &["api", "terms"],
        "config" => &[
            "terms",
            "document",
            "announce",
            "bfd",
            "bgp",
            "check",
            "continuity",
            "dns",
            "linux",
            "resolver",
            "transfer",
        ],
        "daemon" => &[
            "terms",
            "announce",
            "bfd",
            "bgp",
            "check",
            "continuity",
            "dns",
            "document",
            "linux",
            "api",
            "page",
            "config",
            "recording",
            "fleet",
            "transfer",
            "xdp",
        ],
        "lab" => &["terms", "document", "linux", "api", "page", "screen"],
        "catchment" => &["terms", "document", "api", "config", "daemon", "lab", "query", "recording"],
        _ => return None,
    })
}

type Edges = BTreeMap<String, BTreeSet<String>>;

fn faults_in_edges(edges: &Edges) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, imports) in edges {
        let Some(allowed) = allowed(name) else {
            faults.push(format!("crate `{name}` is not drawn in ARCHITECTURE.md"));
            continue;
        };
        let undrawn = imports.iter().filter(|import| !allowed.contains(&import.as_str()));
        faults.extend(undrawn.map(|import| format!("`{name}` must not import `{import}`")));
    }
    faults
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn edges() -> Edges {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap();
    let ours: BTreeSet<_> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let imports = |package: &cargo_metadata::Package| {
        let normal =
            package.dependencies.iter().filter(|it| it.kind == cargo_metadata::DependencyKind::Normal);
        normal.map(|it| it.name.clone()).filter(|name| ours.contains(name)).collect()
    };
    metadata.packages.iter().map(|package| (package.name.to_string(), imports(package))).collect()
}

#[test]
fn crates_import_what_the_drawing_allows() {
    assert_eq!(faults_in_edges(&edges()), Vec::<String>::new());
}

#[test]
fn an_edge_between_two_cores_is_caught() {
    let mut planted = edges();
    planted.get_mut("announce").unwrap().insert("bgp".to_owned());
    planted.insert("utils".to_owned(), BTreeSet::new());
    let faults = faults_in_edges(&planted);
    assert!(faults.contains(&"`announce` must not import `bgp`".to_owned()), "{faults:?}");
    assert!(faults.contains(&"crate `utils` is not drawn in ARCHITECTURE.md".to_owned()), "{faults:?}");
}

fn missing_bans(clippy: &str) -> Vec<&'static str> {
    BANNED.into_iter().filter(|banned| !clippy.contains(&format!("path = \"{banned}\""))).collect()
}

#[test]
fn every_core_bans_what_would_make_it_impure() {
    for core in CORES.into_iter().chain([VOCABULARY]) {
        let folder = root().join("crates").join(core);
        let clippy = std::fs::read_to_string(folder.join("clippy.toml")).unwrap_or_default();
        assert_eq!(missing_bans(&clippy), Vec::<&str>::new(), "crates/{core}/clippy.toml");
        let head = std::fs::read_to_string(folder.join("src/lib.rs")).unwrap();
        assert!(head.contains("#![forbid(unsafe_code)]"), "crates/{core}/src/lib.rs");
    }
}

#[test]
fn a_ban_that_was_taken_out_is_missed() {
    let clippy = std::fs::read_to_string(root().join("crates/announce/clippy.toml")).unwrap();
    let planted = clippy.replace("std::time::Instant", "std::time::Later");
    assert_eq!(missing_bans(&planted), ["std::time::Instant"]);
}

/// `clippy` really refuses the type, not only the list: a small crate with a core's own clippy.toml is checked.
#[test]
fn clippy_refuses_a_clock_in_a_core() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("src")).unwrap();
    let manifest = "[package]\nname = \"planted\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
    write("Cargo.toml", manifest);
    write("clippy.toml", &std::fs::read_to_string(root().join("crates/announce/clippy.toml")).unwrap());
    write("src/lib.rs", "//! planted\npub fn now() -> std::time::Instant { std::time::Instant::now() }\n");
    let output = std::process::Command::new(env!("CARGO"))
        .args(["clippy", "--offline", "--quiet", "--", "-D", "warnings"])
        .current_dir(folder.path())
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("disallowed type"), "{said}");
}

/// The functions named in the tables of ARCHITECTURE.md: lines such as ``| [`Machine::handle`](file) | ... |`` below a
/// heading that begins with "## Path". Where the kernel has the same in C, a second link follows.
fn named_functions(text: &str) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with("## ") {
            inside = line.starts_with("## Path");
        }
        if inside && line.starts_with("| [`") {
            let links = line.split("[`").skip(1);
            let link = |link: &str| {
                let (name, rest) = link.split_once("`](").unwrap();
                let (file, _) = rest.split_once(')').unwrap();
                (name.to_owned(), file.to_owned())
            };
            rows.extend(links.map(link));
        }
    }
    rows
}

fn missing_functions(rows: &[(String, String)]) -> Vec<String> {
    let exists = |name: &str, file: &str| {
        let text = std::fs::read_to_string(root().join(file)).unwrap_or_default();
        let function = name.rsplit("::").next().unwrap();
        let written =
            if file.ends_with(".rs") { format!("fn {function}") } else { format!(" {function}(struct ") };
        text.contains(&written)
    };
    rows.iter()
        .filter(|(name, file)| !exists(name, file))
        .map(|(name, file)| format!("{name} in {file}"))
        .collect()
}

#[test]
fn the_functions_of_the_data_paths_exist() {
    let rows = named_functions(&std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap());
    assert!(rows.len() >= 15, "the paths are listed: {rows:?}");
    assert_eq!(missing_functions(&rows), Vec::<String>::new());
    let planted = [("bgp::nowhere_to_be_found".to_owned(), "crates/bgp/src/lib.rs".to_owned())];
    assert_eq!(missing_functions(&planted).len(), 1);
}
