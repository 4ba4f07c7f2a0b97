//! Cables that differ from what geography says.

use super::Reader;
use crate::world::{CableOverride, Network, Rate, Relation, RouterRef, router_name};
use document::{Table, Value};
use std::time::Duration;

/// One-way delay of the longest cable, ms: a geostationary satellite takes 250.
const LONGEST_DELAY_MS: f64 = 2000.0;
/// What a cable can be said to carry, Mbit/s.
const RATES: std::ops::RangeInclusive<u32> = 1..=100_000;

impl<'d> Reader<'d> {
    pub(super) fn cable(
        &self,
        table: &Table<'d>,
        networks: &[Network],
        relations: Option<&[Relation]>,
    ) -> Option<CableOverride> {
        let ends_value = table.required("ends");
        let ends = ends_value.list();
        let delay = table.optional("ms").number_in(0.0..=LONGEST_DELAY_MS);
        let loss = table.optional("loss").number_in(0.0..=1.0);
        let rate = table.optional("rate").number_in(RATES);
        let routers: Vec<Option<RouterRef>> = ends.iter().map(|end| self.router(end, networks)).collect();
        let [from, to] = routers[..] else {
            if ends_value.is_given() {
                self.document.fault(ends_value.span(), "a cable has two ends");
            }
            return None;
        };
        let (from, to) = (from?, to?);
        let same =
            |left: RouterRef, right: RouterRef| (left, right) == (from, to) || (right, left) == (from, to);
        let is_backbone = |network: usize| {
            let router = |place: usize| RouterRef { network, place };
            networks[network].backbone.iter().any(|&(left, right)| same(router(left), router(right)))
        };
        let between = relations?.iter().any(|relation| same(relation.left, relation.right));
        if !between && !is_backbone(from.network) {
            self.document.fault(ends_value.span(), "there is no cable between these two");
            return None;
        }
        Some(CableOverride {
            ends: (from, to),
            delay: delay.map(|ms| Duration::from_secs_f64(ms.value / 1000.0)),
            loss: loss.map_or(0.0, |loss| loss.value),
            rate: rate.and_then(|rate| Rate::from_megabits(rate.value)),
        })
    }

    pub(super) fn router(&self, value: &Value<'d>, networks: &[Network]) -> Option<RouterRef> {
        let name = value.text()?;
        for (network, found) in networks.iter().enumerate() {
            for (place, at) in found.places.iter().enumerate() {
                if router_name(&found.name, &at.key) == name.value {
                    return Some(RouterRef { network, place });
                }
            }
        }
        let message = format!("no router is called `{}`", name.value);
        self.document.fault_with_hint(name.span, message, "a router is called network-city in lower case");
        None
    }
}
