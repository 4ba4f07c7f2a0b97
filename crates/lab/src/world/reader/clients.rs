//! Who asks: `london = "Thames"`, or `london = { network = "Thames", count = 3, rate = 10 }`.

use super::Reader;
use crate::world::relation::End;
use crate::world::{Client, Network};
use document::{Spanned, Table, Value};
use std::time::Duration;

/// Clients in one city, and in a world.
const MOST_IN_CITY: usize = 50;
const MOST_CLIENTS: usize = 2_000;
/// Questions a second of one client.
const RATES: std::ops::RangeInclusive<f64> = 0.1..=200.0;

/// What a file says about the clients of one city.
struct Written<'d> {
    network: Spanned<&'d str>,
    count: usize,
    probe: Option<Duration>,
}

impl<'d> Reader<'d> {
    pub(super) fn clients(&self, table: &Table<'d>, networks: &[Network]) -> Option<Vec<Client>> {
        let entries = table.entries();
        if entries.is_empty() {
            self.document.fault(table.span(), "a world has at least one client");
            return None;
        }
        let read = |(city, value): (Spanned<String>, Value<'d>)| self.clients_of(&city, &value, networks);
        let clients: Vec<Option<Vec<Client>>> = entries.into_iter().map(read).collect();
        let clients: Vec<Client> =
            clients.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
        if clients.len() > MOST_CLIENTS {
            self.document.fault(table.span(), format!("a world has {MOST_CLIENTS} clients at most"));
            return None;
        }
        Some(clients)
    }

    fn clients_of(
        &self,
        city: &Spanned<String>,
        value: &Value<'d>,
        networks: &[Network],
    ) -> Option<Vec<Client>> {
        let place = self.place(&Spanned { value: city.value.as_str(), span: city.span.clone() });
        let Written { network: name, count, probe } = written(value)?;
        let network = self.network_called(name.value, networks, &name.span)?;
        let place = place?;
        let end = End { network: name.value.to_owned(), city: place.key.clone() };
        let router = self.end(&end, networks, &name.span)?;
        if networks[network].islands {
            self.document.fault(name.span, "a client of the anycast network would ask itself");
            return None;
        }
        let client = |number: usize| {
            let name = if number == 1 { place.key.clone() } else { format!("{}-{number}", place.key) };
            self.take(&name, &city.span)?;
            self.begin_cable(router, &networks[network], &city.span);
            Some(Client { name, place: place.clone(), probe, router })
        };
        let clients: Vec<Option<Client>> = (1..=count).map(client).collect();
        clients.into_iter().collect()
    }
}

fn written<'d>(value: &Value<'d>) -> Option<Written<'d>> {
    if !value.is_table() {
        return Some(Written { network: value.text()?, count: 1, probe: None });
    }
    let table = value.table()?;
    let network = table.required("network").text();
    let (count, rate) = (table.optional("count"), table.optional("rate"));
    let count = match count.number_in(1..=MOST_IN_CITY) {
        None if count.is_given() => None,
        None => Some(1),
        Some(count) => Some(count.value),
    };
    let probe = match rate.number_in(RATES) {
        None if rate.is_given() => None,
        None => Some(None),
        Some(rate) => Some(Some(Duration::from_secs_f64(1.0 / rate.value))),
    };
    Some(Written { network: network?, count: count?, probe: probe? })
}
