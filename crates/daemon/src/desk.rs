//! Where operators' orders that stand for a while are taken: one at a time, each seen through, and ended by the clock.
//!
//! ```text
//!   control socket ──order──> counter ──queue──> attend ──order──> [`Duty`]: about groups, or about blackholes
//!                    <──answer─────────────────────┴── time is over ──┘
//! ```
//! What an order does, and what stands, is the affair of whoever is on duty. The desk has the queue, the caller who may
//! have gone away, and the clock.

mod counter;

pub(crate) use counter::counter;

use crate::caller::Caller;
use crate::clock::Clock;
use api::Refusal;
use std::collections::{BTreeMap, BTreeSet};
use terms::Timestamp;
use tokio::sync::{mpsc, oneshot};

/// How many orders may wait for the one in hand; together they wait for less long than a client does.
pub(crate) const WAITING: usize = 4;

/// One kind of orders.
pub(crate) trait Duty {
    /// As it is given.
    type Order;
    /// What its caller is told.
    type Answer;

    /// Carries an order out, or says why not.
    fn serve(
        &mut self,
        order: Self::Order,
        caller: Caller,
    ) -> impl Future<Output = Result<Self::Answer, Refused>> + Send;

    /// When the time of one that stands is over next; none where none ends by itself.
    fn next_end(&self) -> Option<Timestamp>;

    /// Ends those whose time is over.
    fn expire(&mut self) -> impl Future<Output = ()> + Send;
}

/// An order on its way.
#[derive(Debug)]
pub(crate) struct Request<O, A> {
    pub(crate) order: O,
    pub(crate) caller: Caller,
    pub(crate) answer: oneshot::Sender<Result<A, Refused>>,
}

/// Why an order was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It makes no sense.
    Faulty(Refusal),
    /// It makes sense, and a guard says no.
    No(Refusal),
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Refused::No(refusal)
    }
}

/// Serves for as long as anybody can ask.
pub(crate) async fn attend<D: Duty>(
    mut duty: D,
    clock: Clock,
    mut requests: mpsc::Receiver<Request<D::Order, D::Answer>>,
) {
    loop {
        tokio::select! {
            request = requests.recv() => match request {
                Some(request) => serve(&mut duty, request).await,
                None => return,
            },
            () = clock.until(duty.next_end()) => duty.expire().await,
        }
    }
}

async fn serve<D: Duty>(duty: &mut D, request: Request<D::Order, D::Answer>) {
    let Request { order, caller, answer } = request;
    // Whoever has gone away must not be surprised by an order that is carried out later.
    if answer.is_closed() {
        return;
    }
    let outcome = duty.serve(order, caller).await;
    // It is carried out, whether the caller still listens or not.
    let _ = answer.send(outcome);
}

/// When orders end, on the clock that only goes forward: setting the clock on the wall ends none early.
#[derive(Clone, Debug)]
pub(crate) struct Ends<K>(BTreeMap<K, Timestamp>);

impl<K: Ord + Clone> Ends<K> {
    /// What `about` names ends then, whatever was said before.
    pub(crate) fn set(&mut self, about: K, end: Timestamp) {
        self.0.insert(about, end);
    }

    /// It ends no more by itself.
    pub(crate) fn remove(&mut self, about: &K) {
        self.0.remove(about);
    }

    /// The first of all ends.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.0.values().min().copied()
    }

    /// Takes out what is over by now.
    pub(crate) fn take_over(&mut self, now: Timestamp) -> BTreeSet<K> {
        self.0.extract_if(.., |_, end| *end <= now).map(|(about, _)| about).collect()
    }
}

impl<K: Ord> FromIterator<(K, Timestamp)> for Ends<K> {
    fn from_iter<I: IntoIterator<Item = (K, Timestamp)>>(ends: I) -> Self {
        Ends(ends.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Writes down what it is told to do, and has nothing that ends.
    struct Diary(mpsc::UnboundedSender<&'static str>);

    impl Duty for Diary {
        type Order = &'static str;
        type Answer = usize;

        async fn serve(&mut self, order: &'static str, _: Caller) -> Result<usize, Refused> {
            self.0.send(order).unwrap();
            Ok(order.len())
        }

        fn next_end(&self) -> Option<Timestamp> {
            None
        }

        async fn expire(&mut self) {}
    }

    fn request(
        order: &'static str,
    ) -> (Request<&'static str, usize>, oneshot::Receiver<Result<usize, Refused>>) {
        let (answer, answered) = oneshot::channel();
        (Request { order, caller: Caller { uid: None }, answer }, answered)
    }

    /// It ends by itself once nobody can ask any more.
    #[tokio::test]
    async fn an_order_whose_caller_has_gone_away_is_not_carried_out() {
        let (diary, mut entries) = mpsc::unbounded_channel();
        let (requests, requested) = mpsc::channel(WAITING);
        let ((first, answered), (second, _)) = (request("first"), request("second"));
        for request in [first, second] {
            requests.send(request).await.unwrap();
        }
        drop(requests);
        attend(Diary(diary), Clock::start(), requested).await;
        assert_eq!(answered.await.unwrap(), Ok(5));
        assert_eq!((entries.recv().await, entries.recv().await), (Some("first"), None));
    }

    #[test]
    fn what_is_over_is_taken_out_and_the_first_of_the_others_is_next() {
        let at = |seconds| Timestamp::ZERO + Duration::from_secs(seconds);
        let mut ends: Ends<&str> =
            [("tea", at(3)), ("bread", at(40)), ("soup", at(20))].into_iter().collect();
        assert_eq!(ends.next(), Some(at(3)));
        assert_eq!(ends.take_over(at(2)), BTreeSet::new());
        ends.set("tea", at(30));
        assert_eq!(ends.take_over(at(20)), BTreeSet::from(["soup"]));
        ends.remove(&"tea");
        assert_eq!(
            (ends.next(), ends.take_over(at(40)), ends.next()),
            (Some(at(40)), BTreeSet::from(["bread"]), None)
        );
    }
}
