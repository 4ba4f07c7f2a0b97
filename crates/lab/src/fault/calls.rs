//! Connections that clients open.

use crate::calls::{Call, Calls, Speech, TALK, TRANSFER};
use crate::fault::apply::FaultError;
use crate::history::ClientId;
use crate::plan::NodeId;
use crate::running::{Lab, lock};
use crate::scenario::words::ClientName;
use std::sync::Arc;
use terms::Family;

impl Lab {
    pub(super) fn open_connections(&self, client: &ClientName, count: usize) -> Result<(), FaultError> {
        self.open(client, Family::ALL.into_iter().cycle().take(count), Speech::Echo(TALK))
    }

    pub(super) fn open_dns_connections(&self, client: &ClientName, count: usize) -> Result<(), FaultError> {
        self.open(client, Family::ALL.into_iter().cycle().take(count), Speech::Dns)
    }

    pub(super) fn open_stream_connections(
        &self,
        client: &ClientName,
        count: usize,
    ) -> Result<(), FaultError> {
        self.open(client, Family::ALL.into_iter().cycle().take(count), Speech::Stream)
    }

    pub(super) fn begin_transfers(&self, client: &ClientName) -> Result<(), FaultError> {
        self.open(client, Family::ALL.into_iter(), Speech::Echo(TRANSFER))
    }

    fn open(
        &self,
        client: &ClientName,
        families: impl Iterator<Item = Family> + Send,
        speech: Speech,
    ) -> Result<(), FaultError> {
        let node = self.client(client)?;
        Ok(self.speakers()?.open((client.as_str(), self.namespace(node)), families, speech)?)
    }

    /// The node of a client.
    pub(super) fn client(&self, client: &ClientName) -> Result<NodeId, FaultError> {
        let place = self.world.clients.iter().position(|known| known.name == client.as_str());
        let node = place.and_then(|place| self.plan.client(ClientId::at(place)));
        node.ok_or_else(|| self.unknown(client.as_str()))
    }

    /// What speaks for clients; it begins to with the first connection.
    fn speakers(&self) -> linux::Result<Arc<Calls>> {
        let mut calls = lock(&self.calls);
        match &*calls {
            Some(calls) => Ok(Arc::clone(calls)),
            None => {
                let started = Arc::new(Calls::start()?);
                *calls = Some(Arc::clone(&started));
                Ok(started)
            }
        }
    }

    /// Every connection that clients have opened.
    pub(crate) fn calls(&self) -> Vec<Call> {
        lock(&self.calls).as_ref().map(|calls| calls.all()).unwrap_or_default()
    }
}
