//! Brings a world up without the rest of the program: `cargo run -p lab --example world -- up tiny`.
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().skip(1).collect();
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let name: lab::LabName = match "default".parse() {
        Ok(name) => name,
        Err(error) => return say(error),
    };
    match words[..] {
        ["lab", "init"] => lab::init().map_or_else(say, |()| ExitCode::SUCCESS),
        ["up", world] => {
            let options = lab::Options {
                world: Some(world.into()),
                name,
                listen: ([127, 0, 0, 1], 8053).into(),
                duration: None,
            };
            lab::up(&options).map_or_else(say, |_| ExitCode::SUCCESS)
        }
        ["exec", node, ..] => lab::exec(&name, node, &arguments[2..]).map_or_else(say, |_| ExitCode::SUCCESS),
        ["nodes"] => lab::nodes(&name).map_or_else(say, |nodes| say(format!("{nodes:?}"))),
        ["down"] => lab::down(&name).map_or_else(say, |done| say(done.said)),
        _ => say("world up WORLD | exec NODE COMMAND... | nodes | down"),
    }
}

fn say(message: impl std::fmt::Display) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}
