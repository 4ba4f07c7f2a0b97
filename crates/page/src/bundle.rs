//! The modules of the page as one script, since a page that is opened from a file may not load others.
//!
//! Each module becomes a function that is called once, those that it imports first:
//!
//! ```text
//! import { svg } from './element.js';          const marks = (() => {
//! export const colour = ...;              ──>    const { svg } = element;
//!                                                const colour = ...;
//!                                                return { colour };
//!                                              })();
//! ```
//! The modules are ours and keep to these forms, one statement a line: a test reads every line of them.

use crate::assets::{ASSETS, Asset};
use std::fmt::Write;

/// The script of the module with this path and of everything that it imports.
pub(crate) fn bundle(entry: &str) -> String {
    let mut bundle = Bundle { script: String::new(), done: Vec::new() };
    bundle.add(entry);
    bundle.script
}

struct Bundle {
    script: String,
    done: Vec<String>,
}

impl Bundle {
    fn add(&mut self, path: &str) {
        let Some(module) = ASSETS.iter().find(|asset| asset.path == path) else { return };
        if self.done.iter().any(|done| done == path) {
            return;
        }
        self.done.push(path.to_owned());
        module.text.lines().filter_map(import).for_each(|import| self.add(&import.path));
        self.wrap(module);
    }

    fn wrap(&mut self, module: &Asset) {
        let mut exports = Vec::new();
        // Writing to a String cannot fail.
        let _ = writeln!(self.script, "const {} = (() => {{", name(module.path));
        for line in module.text.lines() {
            if let Some(Import { names, path }) = import(line) {
                let _ = writeln!(self.script, "const {{ {names} }} = {};", name(&path));
            } else if let Some((exported, declaration)) = export(line) {
                exports.push(exported);
                self.script += declaration;
                self.script.push('\n');
            } else {
                self.script += line;
                self.script.push('\n');
            }
        }
        let _ = writeln!(self.script, "return {{ {} }};\n}})();", exports.join(", "));
    }
}

/// What a module takes from another.
struct Import {
    names: String,
    path: String,
}

/// Reads `import { a, b } from './module.js';`.
fn import(line: &str) -> Option<Import> {
    let (names, module) = line.strip_prefix("import { ")?.split_once(" } from '.")?;
    Some(Import { names: names.to_owned(), path: module.strip_suffix("';")?.to_owned() })
}

/// Reads `export const a = ...`: the name, and the line without its first word.
fn export(line: &str) -> Option<(&str, &str)> {
    let declaration = line.strip_prefix("export ")?;
    let named = ["const ", "function ", "async function ", "class "]
        .iter()
        .find_map(|keyword| declaration.strip_prefix(keyword))?;
    let end = named.find(|letter: char| !letter.is_alphanumeric() && letter != '_')?;
    Some((&named[..end], declaration))
}

/// The name of a module in the script: no name in a module looks like it.
fn name(path: &str) -> String {
    format!("module_{}", path.trim_start_matches('/').trim_end_matches(".js"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scripts() -> impl Iterator<Item = &'static Asset> {
        ASSETS.iter().filter(|asset| asset.path.ends_with(".js"))
    }

    #[test]
    fn every_module_is_written_in_the_forms_that_are_understood() {
        let mut seen = (0, 0);
        for module in scripts() {
            for line in module.text.lines() {
                let words = line.trim_start();
                let of_modules = words.starts_with("import") || words.starts_with("export");
                seen = (
                    seen.0 + usize::from(import(line).is_some()),
                    seen.1 + usize::from(export(line).is_some()),
                );
                let understood = import(line).is_some_and(|import| !import.names.contains(" as "))
                    || export(line).is_some();
                assert!(!of_modules || understood, "{}: {line}", module.path);
                assert!(!line.contains("module_"), "{}: {line}", module.path);
            }
        }
        assert!(seen.0 > 20 && seen.1 > 20, "the modules were not found: {seen:?}");
    }

    #[test]
    fn each_module_stands_once_and_after_what_it_imports() {
        let bundle = bundle("/page.js");
        let place = |path: &str| {
            let head = format!("const {} = (() => {{", name(path));
            let places: Vec<usize> = bundle.match_indices(&head).map(|(place, _)| place).collect();
            assert_eq!(places.len(), 1, "{path}");
            places[0]
        };
        for module in scripts() {
            for Import { names, path } in module.text.lines().filter_map(import) {
                assert!(place(&path) < place(module.path), "{} imports {path} in a circle", module.path);
                let there = ASSETS.iter().find(|asset| asset.path == path).unwrap();
                let exported: Vec<&str> =
                    there.text.lines().filter_map(export).map(|(exported, _)| exported).collect();
                for wanted in names.split(", ") {
                    assert!(exported.contains(&wanted), "{}: {path} has no {wanted}", module.path);
                }
            }
        }
        assert!(!bundle.contains("import {") && !bundle.contains("\nexport "));
    }
}
