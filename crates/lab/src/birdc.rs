//! What BIRD answers on its control socket.
//!
//! A reply is lines that begin with a four-digit code; a `-` after the code says that more lines follow, a blank that
//! this is the last one. Lines that go on with the same code begin with a blank instead.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Longest reply that is read, bytes.
const LONGEST_REPLY: u64 = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(2);

/// Gives one command and returns the text of the reply without its codes.
pub(crate) fn ask(socket: &Path, command: &str) -> io::Result<String> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut replies = BufReader::new((&stream).take(LONGEST_REPLY));
    reply(&mut replies)?; // its greeting
    (&stream).write_all(format!("{command}\n").as_bytes())?;
    reply(&mut replies)
}

fn reply(lines: &mut impl BufRead) -> io::Result<String> {
    let mut text = String::new();
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (code, words) = match line.split_at_checked(5) {
            Some((code, words)) if code.starts_with(|c: char| c.is_ascii_digit()) => (code, words),
            _ => ("", line.strip_prefix(' ').unwrap_or(&line)),
        };
        // 8xxx and 9xxx are errors.
        if code.starts_with(['8', '9']) {
            return Err(io::Error::other(format!("BIRD says: {}", words.trim_end())));
        }
        text.push_str(words);
        if code.ends_with(' ') {
            return Ok(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_until_the_last_one() {
        let mut lines =
            "1007-Table master4:\n 198.18.0.0/24 via 10.0.0.1\n1008-\tType: BGP\n0000 \nrest".as_bytes();
        assert_eq!(reply(&mut lines).unwrap(), "Table master4:\n198.18.0.0/24 via 10.0.0.1\n\tType: BGP\n\n");
        assert_eq!(reply(&mut "0001 BIRD 2.0.12 ready.\n".as_bytes()).unwrap(), "BIRD 2.0.12 ready.\n");
        let error = reply(&mut "9001 syntax error\n".as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "BIRD says: syntax error");
        assert!(reply(&mut "1007-Table\n".as_bytes()).is_err());
    }
}
