//! What is offered to a neighbour beside families and hold time: `role`, `role_strict`, `add_path` and
//! `extended_next_hop`. A session agrees on them when it begins.

use super::Relation;
use bgp::session::{AddPath, PeerKind, Role};
use document::Table;

/// What is offered.
pub(super) struct Agreement {
    pub(super) role: Option<Role>,
    pub(super) role_strict: bool,
    pub(super) add_path: AddPath,
}

const ROLES: [(&str, Role); 5] = [
    ("provider", Role::Provider),
    ("rs-server", Role::RouteServer),
    ("rs-client", Role::RouteServerClient),
    ("customer", Role::Customer),
    ("peer", Role::Peer),
];

const PATHS: [(&str, AddPath); 3] = [
    ("receive", AddPath { receive: true, send: false }),
    ("send", AddPath { receive: false, send: true }),
    ("both", AddPath { receive: true, send: true }),
];

pub(super) fn read(table: &Table, kind: Option<PeerKind>, relation: Option<Relation>) -> Agreement {
    let document = table.document();
    let role = table.optional("role").one_of(&ROLES);
    let strict = table.optional("role_strict").flag().filter(|strict| strict.value);
    if let Some(role) = &role {
        if kind == Some(PeerKind::Internal) {
            let hint = "leave `role` out: RFC 9234 is about other networks";
            document.fault_with_hint(role.span.clone(), "within our own AS nobody has a role", hint);
        }
        if relation == Some(Relation::Transit) && role.value != Role::Customer {
            let message = format!("to a transit provider we are a customer, not a {}", role.value);
            document.fault_with_hint(
                role.span.clone(),
                message,
                "write role = \"customer\" or another `kind`",
            );
        }
    }
    if let (Some(strict), None) = (&strict, &role) {
        let message = "there is no role to be strict about";
        document.fault_with_hint(strict.span.clone(), message, "add `role`: what we are to the peer");
    }
    let add_path = table.optional("add_path").one_of(&PATHS);
    Agreement {
        role: role.map(|role| role.value),
        role_strict: strict.is_some(),
        add_path: add_path.map(|add_path| add_path.value).unwrap_or_default(),
    }
}
