//! A program that runs in a node while a test goes on.

use crate::stage::Lab;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

/// A program in a node, with both ends of its pipes. It ends with the test.
pub(crate) struct Program {
    pub(crate) process: Child,
    input: Option<ChildStdin>,
    pub(crate) output: BufReader<ChildStdout>,
}

impl Program {
    pub(crate) fn start(lab: &Lab<'_>, node: &str, words: &[&str]) -> Self {
        let mut command = lab.command("exec", &[&[node, "--"], words].concat());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Program { input: process.stdin.take(), process, output }
    }

    pub(crate) fn say(&mut self, octets: &[u8]) {
        self.input.as_mut().unwrap().write_all(octets).unwrap();
    }

    pub(crate) fn hear(&mut self) -> String {
        let mut line = String::new();
        assert!(self.output.read_line(&mut line).unwrap() > 0, "it has ended");
        line
    }

    /// Ends its input, and waits for it to end by itself; the rest of what it says.
    pub(crate) fn end(&mut self) -> Vec<u8> {
        drop(self.input.take());
        let mut rest = Vec::new();
        self.output.read_to_end(&mut rest).unwrap();
        assert!(self.process.wait().unwrap().success());
        rest
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
