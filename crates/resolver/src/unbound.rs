//! `unbound.conf(5)`.

use crate::{EDNS_SIZE, KNOWN_NAME, Profile};
use std::fmt::{self, Display, Formatter};

pub(crate) fn configuration(profile: &Profile<'_>) -> String {
    Configuration(profile).to_string()
}

struct Configuration<'a>(&'a Profile<'a>);

impl Display for Configuration<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Profile { site, addresses, outgoing, .. } = self.0;
        writeln!(f, "# Made by `catchment dns resolver`: change the site file and make it anew.\nserver:")?;
        writeln!(
            f,
            "    # The addresses come and go with the service; the sockets stay.\n    ip-freebind: yes"
        )?;
        addresses.iter().try_for_each(|address| writeln!(f, "    interface: {address}"))?;
        if !outgoing.is_empty() {
            writeln!(f, "    # Never from a service address: the answer would come to another site.")?;
            outgoing.iter().try_for_each(|address| writeln!(f, "    outgoing-interface: {address}"))?;
        }
        writeln!(f, "    # The service addresses are there for the checks of this host.")?;
        writeln!(f, "    access-control: 0.0.0.0/0 refuse\n    access-control: ::/0 refuse")?;
        self.0.clients().try_for_each(|client| writeln!(f, "    access-control: {client} allow"))?;
        writeln!(f, "    # Who answered: NSID, and CH TXT id.server.")?;
        writeln!(f, "    nsid: \"ascii_{site}\"\n    identity: \"{site}\"\n    hide-version: yes")?;
        writeln!(f, "    # What the check of this site asks for: nobody else is needed to answer it.")?;
        writeln!(f, "    local-zone: \"{KNOWN_NAME}\" static")?;
        writeln!(f, "    local-data: '{KNOWN_NAME} 0 IN TXT \"{site}\"'")?;
        writeln!(f, "    edns-buffer-size: {EDNS_SIZE}\n    max-udp-size: {EDNS_SIZE}")
    }
}
