//! Prints the OpenAPI document: `cargo run -p api --example openapi > docs/reference/openapi.json`.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(&api::openapi::document())?;
    text.push(b'\n');
    io::stdout().write_all(&text)
}
