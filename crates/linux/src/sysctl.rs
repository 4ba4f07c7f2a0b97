//! Kernel settings of a network namespace.

use crate::Result;
use crate::error::Attempt;
use std::fs;

/// Writes a setting of the network namespace of the calling thread. `name` is a path below `/proc/sys/net`, such as
/// `ipv4/ip_forward`.
pub fn write(name: &str, value: &str) -> Result<()> {
    fs::write(path(name), value).attempt(|| format!("set net/{name} to {value}"))
}

/// Reads a setting of the network namespace of the calling thread.
pub fn read(name: &str) -> Result<String> {
    let value = fs::read_to_string(path(name)).attempt(|| format!("read net/{name}"))?;
    Ok(value.trim_end().to_owned())
}

fn path(name: &str) -> String {
    format!("/proc/sys/net/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Namespace;

    #[test]
    fn a_setting_belongs_to_its_namespace() {
        let (one, other) = (Namespace::new().unwrap(), Namespace::new().unwrap());
        one.run(|| write("ipv4/ip_forward", "1")).unwrap().unwrap();
        assert_eq!(one.run(|| read("ipv4/ip_forward")).unwrap().unwrap(), "1");
        assert_eq!(other.run(|| read("ipv4/ip_forward")).unwrap().unwrap(), "0");
        let error = one.run(|| write("ipv4/no_such", "1")).unwrap().unwrap_err();
        assert!(error.to_string().starts_with("cannot set net/ipv4/no_such to 1: "), "{error}");
    }
}
