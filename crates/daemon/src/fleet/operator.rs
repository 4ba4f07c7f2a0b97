//! What an operator orders about another site: its permits are released, or it is retired.

use crate::event::{Event, Source};
use crate::events::Bus;
use ::fleet::{Entry, Key, ReplaceError, Store};
use announce::permit::{Record, Refusal};
use api::{FleetOrder, FleetOrderKind};
use std::time::Duration;
use terms::Reason;
use tokio::sync::oneshot;
use tokio::time::sleep;

/// How often a change is tried that others keep overtaking.
const ATTEMPTS: u32 = 10;

/// An order, and where its answer goes.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) order: FleetOrder,
    /// Who gave it.
    pub(crate) who: Reason,
    pub(crate) answer: oneshot::Sender<Result<api::Done, api::Refusal>>,
}

/// What became of one group's record.
enum Outcome {
    Done,
    Refused(Refusal),
    Failed(String),
}

/// Carries an order out on the record of every group, those of other sites included.
pub(super) async fn carry_out(store: impl Store, bus: Bus, request: Request) {
    let Request { mut order, who, answer } = request;
    order.reason = Reason::from(format!("{who}: {}", order.reason));
    let outcome = in_every_group(&store, &order).await;
    bus.tell(&told(&order, outcome.as_ref().err()), Source::Process);
    // It is carried out, whether the caller still listens or not.
    let _ = answer.send(outcome);
}

/// What everybody is told of it.
fn told(FleetOrder { kind, site, reason, .. }: &FleetOrder, refusal: Option<&api::Refusal>) -> Event {
    let what = match kind {
        FleetOrderKind::Release => "release",
        FleetOrderKind::Retire => "retire",
    };
    let order = Reason::from(format!("to {what} {site}, by {reason}"));
    match refusal {
        None => Event::FleetOrdered { order },
        Some(refusal) => Event::FleetOrderFailed { order, because: Reason::from(&refusal.error) },
    }
}

async fn in_every_group(store: &impl Store, order: &FleetOrder) -> Result<api::Done, api::Refusal> {
    let listing = store.list(&Key::groups()).await.map_err(|error| {
        api::Refusal::because(format!("nothing was changed: {error}"))
            .hint("try again when the store answers")
    })?;
    let (mut done, mut refused, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for entry in listing.entries {
        let Some(group) = entry.key.as_group() else { continue };
        match amend(store, entry, order).await {
            Outcome::Done => done.push(group.to_string()),
            Outcome::Refused(refusal) => refused.push(format!("{group}: {refusal}")),
            Outcome::Failed(error) => failed.push(format!("{group}: {error}")),
        }
    }
    let verb = match order.kind {
        FleetOrderKind::Release => "released",
        FleetOrderKind::Retire => "retired",
    };
    if !failed.is_empty() {
        let words = format!("{} may not be {verb} everywhere: {}", order.site, failed.join("; "));
        return Err(
            api::Refusal::because(words).hint("look at `catchment fleet status`, then order it again")
        );
    }
    if done.is_empty() {
        let words =
            if refused.is_empty() { "no group has a record yet".to_owned() } else { refused.join("; ") };
        return Err(api::Refusal::because(format!("{} was not {verb}: {words}", order.site)));
    }
    let said = format!("{} was {verb} in {} by {}", order.site, done.join(", "), order.reason);
    Ok(api::Done { schema: api::Schema, said })
}

/// Changes one record: reads again when somebody else was faster, and never sends an ambiguous change twice.
async fn amend(store: &impl Store, entry: Entry, order: &FleetOrder) -> Outcome {
    let mut entry = Some(entry);
    for attempt in 0..ATTEMPTS {
        let Some(Entry { key, revision, value }) = entry else {
            return Outcome::Refused(Refusal::NoMember { site: order.site.clone() });
        };
        let next = match Record::decode(&value)
            .map_err(|error| error.to_string())
            .map(|record| change(&record, order))
        {
            Ok(Ok(next)) => next,
            Ok(Err(refusal)) => return Outcome::Refused(refusal),
            Err(error) => return Outcome::Failed(error),
        };
        match store.replace(&key, Some(revision), next.encode()).await {
            Ok(_) => return Outcome::Done,
            Err(ReplaceError::Conflict) => {}
            Err(error) => return Outcome::Failed(error.to_string()),
        }
        sleep(Duration::from_millis(10) * attempt).await;
        match store.read(&key).await {
            Ok(reading) => entry = reading.entry,
            Err(error) => return Outcome::Failed(error.to_string()),
        }
    }
    Outcome::Failed("others keep changing the record".to_owned())
}

fn change(record: &Record, order: &FleetOrder) -> Result<Record, Refusal> {
    match order.kind {
        FleetOrderKind::Release => record.release(&order.site, &order.reason),
        FleetOrderKind::Retire => record.retire(&order.site),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::fleet::Embedded;
    use announce::permit::Speaker;

    #[tokio::test]
    async fn the_record_and_everybody_are_told_who_released_a_site() {
        let directory = tempfile::tempdir().unwrap();
        let store = Embedded::open(&directory.path().join("fleet")).unwrap().store;
        let of = |site: &str| Speaker { site: site.parse().unwrap(), host: "a".parse().unwrap() };
        let [london, paris] = ["london", "paris"].map(of);
        let both = Record::empty().stand(&london, None).unwrap().stand(&paris, None).unwrap();
        let both = both.confirm(&london, None);
        let away = both.ask(&paris, &"a line card".into()).unwrap();
        let key = Key::group(&"dns".parse().unwrap());
        store.replace(&key, None, away.encode()).await.unwrap();

        let bus = Bus::for_test();
        for (kind, answers) in
            [(FleetOrderKind::Release, "fleet-ordered"), (FleetOrderKind::Release, "fleet-order-failed")]
        {
            let (answer, answered) = oneshot::channel();
            let (site, reason) = (paris.site.clone(), Reason::from("it burnt down"));
            let order = FleetOrder { schema: api::Schema, kind, site, reason, who: None };
            carry_out(store.clone(), bus.clone(), Request { order, who: "alice (as root)".into(), answer })
                .await;
            assert_eq!(answered.await.unwrap().is_ok(), answers == "fleet-ordered");
            let told = bus.latest();
            assert!(told.iter().any(|row| row.kind == answers), "{told:?}");
            let words = "to release paris, by alice (as root): it burnt down";
            assert!(told.iter().all(|row| row.text.contains(words)), "{told:?}");
        }
        let entry = store.read(&key).await.unwrap().entry.unwrap();
        let record = Record::decode(&entry.value).unwrap();
        let why = &record.member(&paris.site).unwrap().away().unwrap().why;
        assert_eq!(why.as_str(), "alice (as root): it burnt down");
    }
}
