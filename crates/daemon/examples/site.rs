//! Runs the daemon of one site in the foreground: `cargo run --example site -- SITE.toml`.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: site SITE.toml");
        return ExitCode::from(2);
    };
    let site_file = match config::load(Path::new(&path)) {
        Ok(site_file) => site_file,
        Err(faults) => {
            eprintln!("{faults}");
            return ExitCode::from(2);
        }
    };
    match daemon::run(Path::new(&path), site_file) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
