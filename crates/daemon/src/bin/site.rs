//! Runs the daemon of one site in the foreground, for the tests of this package: `site run SITE.toml`. It can be restarted
//! as planned: `check SITE.toml --succession FORMAT` is how the running program asks the one on disk. What ships is
//! `catchment`.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (path, format) = match arguments[..] {
        ["run", path] => (Path::new(path), None),
        ["check", path, "--succession", format] => (Path::new(path), Some(format)),
        _ => {
            eprintln!("usage: site run SITE.toml");
            return ExitCode::from(2);
        }
    };
    let site_file = match config::load(path) {
        Ok(site_file) => site_file,
        Err(faults) => {
            eprintln!("{faults}");
            return ExitCode::from(2);
        }
    };
    if let Some(format) = format {
        return if format == daemon::SUCCESSION.to_string() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    match daemon::run(path, site_file) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
