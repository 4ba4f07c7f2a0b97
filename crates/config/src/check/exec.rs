//! `exec = { command = ["/usr/local/bin/check-it", "--quick"] }`

use super::Command;
use document::Table;
use std::path::PathBuf;

pub(super) fn read(table: &Table) -> Option<Command> {
    let value = table.required("command");
    let items = value.list();
    if value.is_empty_list() {
        value.document().fault(value.span(), "there is no program to run");
    }
    let words: Vec<Option<_>> = items.iter().map(|item| item.text()).collect();
    let words: Vec<_> = words.into_iter().collect::<Option<_>>()?;
    let mut is_good = true;
    for word in words.iter().filter(|word| word.contains('\0')) {
        table.document().fault(word.span.clone(), "a NUL cannot be part of a command");
        is_good = false;
    }
    let (program, arguments) = words.split_first()?;
    if !program.starts_with('/') {
        let hint = "write the complete path; there is no shell, so a shell's command is [\"/bin/sh\", \"-c\", \"...\"]";
        let message = format!("`{}` is no complete path of a program", program.value);
        table.document().fault_with_hint(program.span.clone(), message, hint);
        is_good = false;
    }
    let arguments = arguments.iter().map(|word| word.value.to_owned()).collect();
    is_good.then(|| Command { program: PathBuf::from(program.value), arguments })
}
