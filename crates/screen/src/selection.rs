//! What the keys act on: always something that is there.

use api::{Cable, Client, Offer, Picture, Site};

/// What there is to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    Sites,
    Clients,
    Cables,
}

impl List {
    pub(crate) const ALL: [List; 3] = [List::Sites, List::Clients, List::Cables];

    pub(crate) fn title(self) -> &'static str {
        match self {
            List::Sites => "Sites",
            List::Clients => "Clients",
            List::Cables => "Cables",
        }
    }

    fn index(self) -> usize {
        match self {
            List::Sites => 0,
            List::Clients => 1,
            List::Cables => 2,
        }
    }

    /// The names of what is in it.
    fn names(self, picture: &Picture) -> Vec<&str> {
        match self {
            List::Sites => picture.sites.iter().map(|site| site.name.as_str()).collect(),
            List::Clients => picture.clients.iter().map(|client| client.name.as_str()).collect(),
            List::Cables => cables(picture).map(|cable| cable.name.as_str()).collect(),
        }
    }
}

/// The cables to which something can be done.
pub(crate) fn cables(picture: &Picture) -> impl Iterator<Item = &Cable> {
    picture.cables.iter().filter(|cable| !cable.offers.is_empty())
}

/// The one that is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Chosen<'p> {
    Site(&'p Site),
    Client(&'p Client),
    Cable(&'p Cable),
}

impl<'p> Chosen<'p> {
    /// What can be done to it.
    pub(crate) fn offers(self) -> &'p [Offer] {
        match self {
            Chosen::Site(site) => &site.offers,
            Chosen::Cable(cable) => &cable.offers,
            Chosen::Client(_) => &[],
        }
    }

    /// How people call it.
    pub(crate) fn title(self) -> &'p str {
        match self {
            Chosen::Site(site) => &site.city,
            Chosen::Client(client) => &client.city,
            Chosen::Cable(cable) => &cable.name,
        }
    }
}

/// A list, and a place in each of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection {
    list: List,
    places: [usize; 3],
}

impl Default for Selection {
    fn default() -> Self {
        Selection { list: List::Sites, places: [0; 3] }
    }
}

impl Selection {
    /// The list that the arrows move in.
    pub(crate) fn list(&self) -> List {
        self.list
    }

    /// The place in a list; beyond its end only where the list is empty.
    pub(crate) fn place(&self, list: List) -> usize {
        self.places[list.index()]
    }

    /// What is chosen; none where there is nothing at all.
    pub(crate) fn chosen<'p>(&self, picture: &'p Picture) -> Option<Chosen<'p>> {
        let place = self.place(self.list);
        match self.list {
            List::Sites => picture.sites.get(place).map(Chosen::Site),
            List::Clients => picture.clients.get(place).map(Chosen::Client),
            List::Cables => cables(picture).nth(place).map(Chosen::Cable),
        }
    }

    /// Moves by so many in the list.
    pub(crate) fn step(&mut self, picture: &Picture, by: isize) {
        let last = self.list.names(picture).len().saturating_sub(1);
        let place = &mut self.places[self.list.index()];
        *place = place.saturating_add_signed(by).min(last);
    }

    /// Goes on to the next list, or to the one before, in which there is something.
    pub(crate) fn turn(&mut self, picture: &Picture, forward: bool) {
        let lists = List::ALL.len();
        let by = if forward { 1 } else { lists - 1 };
        let turns = (1..=lists).map(|turn| List::ALL[(self.list.index() + turn * by) % lists]);
        self.list = turns.into_iter().find(|list| !list.names(picture).is_empty()).unwrap_or(self.list);
    }

    /// Stays on what it was on when the picture changes; on something near where that is gone.
    pub(crate) fn follow(&mut self, before: &Picture, after: &Picture) {
        for list in List::ALL {
            let place = &mut self.places[list.index()];
            let names = list.names(after);
            let same =
                list.names(before).get(*place).and_then(|name| names.iter().position(|other| other == name));
            *place = same.unwrap_or(*place).min(names.len().saturating_sub(1));
        }
        if self.list.names(after).is_empty() {
            self.turn(after, true);
        }
    }
}
