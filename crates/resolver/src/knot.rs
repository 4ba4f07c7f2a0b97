//! The Lua of `kresd(8)`.

use crate::{EDNS_SIZE, KNOWN_NAME, Profile};
use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;

pub(crate) fn configuration(profile: &Profile<'_>) -> String {
    Configuration(profile).to_string()
}

struct Configuration<'a>(&'a Profile<'a>);

impl Display for Configuration<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Profile { site, addresses, outgoing, .. } = self.0;
        writeln!(f, "-- Made by `catchment dns resolver`: change the site file and make it anew.")?;
        writeln!(f, "-- The addresses come and go with the service; the sockets stay.")?;
        for address in *addresses {
            writeln!(f, "net.listen('{address}', 53, {{ kind = 'dns', freebind = true }})")?;
        }
        if !outgoing.is_empty() {
            writeln!(f, "-- Never from a service address: the answer would come to another site.")?;
        }
        for address in *outgoing {
            let family = match address {
                IpAddr::V4(_) => "v4",
                IpAddr::V6(_) => "v6",
            };
            writeln!(f, "net.outgoing_{family}('{address}')")?;
        }
        writeln!(f, "net.bufsize({EDNS_SIZE})")?;
        writeln!(f, "modules = {{ 'nsid', 'policy', 'view' }}\n-- Who answered: NSID.\nnsid.name('{site}')")?;
        writeln!(f, "-- What the check of this site asks for: nobody else is needed to answer it.")?;
        let (length, name) = (site.as_str().len(), KNOWN_NAME);
        writeln!(
            f,
            "local known = policy.ANSWER({{ [kres.type.TXT] = {{ rdata = '\\{length:03}{site}', ttl = 0 }} }})\n\
             policy.add(policy.domains(known, {{ todname('{name}') }}))"
        )?;
        writeln!(f, "-- The service addresses are there for the checks of this host.")?;
        for client in self.0.clients() {
            writeln!(f, "view:addr('{client}', policy.all(policy.PASS))")?;
        }
        writeln!(
            f,
            "view:addr('0.0.0.0/0', policy.all(policy.REFUSE))\nview:addr('::/0', policy.all(policy.REFUSE))"
        )
    }
}
