//! How things stand, in one sentence and a few numbers: the page's own.

use crate::words::{list, ms, strength};
use api::{Output, Picture, Site};

/// The sentence, and whether it is bad news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Headline {
    pub(crate) sentence: String,
    pub(crate) is_wrong: bool,
}

impl Headline {
    /// Of a whole world.
    pub(crate) fn of(picture: &Picture) -> Headline {
        let (answered, all) = answered(picture);
        let is_wrong = answered < all || all == 0;
        let who = match answered {
            _ if !is_wrong => match picture.sites.iter().find_map(|site| site.service.as_ref()) {
                Some(service) => format!("Everyone who asks {service} is answered"),
                None => "Everyone is answered".to_owned(),
            },
            0 => format!("None of {all} are answered"),
            some => format!("{some} of {all} are answered"),
        };
        let gone = cities(picture, Output::None);
        let without = match gone.len() {
            0 => String::new(),
            sites if sites == picture.sites.len() => ": no site announces".to_owned(),
            _ => format!(" without {}", list(&gone)),
        };
        let weak = [Output::Gshut, Output::Depref].map(|output| weak(picture, output)).concat();
        Headline { sentence: format!("{who}{without}{weak}."), is_wrong }
    }
}

/// How many clients are answered, of how many.
pub(crate) fn answered(picture: &Picture) -> (usize, usize) {
    (picture.clients.iter().filter(|client| client.site.is_some()).count(), picture.clients.len())
}

/// The numbers beside it: what they count, and how much it is.
pub(crate) fn figures(picture: &Picture) -> [(&'static str, String); 3] {
    let (some, all) = answered(picture);
    let mut round_trips: Vec<f64> = picture.clients.iter().filter_map(|client| client.rtt_ms).collect();
    round_trips.sort_by(f64::total_cmp);
    let median = round_trips.get(round_trips.len() / 2).map_or_else(|| "–".to_owned(), |median| ms(*median));
    let sites = picture.sites.len();
    let announced = sites - cities(picture, Output::None).len();
    [("answered", format!("{some}/{all}")), ("median", median), ("sites", format!("{announced}/{sites}"))]
}

fn weak(picture: &Picture, output: Output) -> String {
    let cities = cities(picture, output);
    let (Some(word), false) = (strength(output), cities.is_empty()) else { return String::new() };
    let verb = if cities.len() == 1 { "is" } else { "are" };
    let article = if output == Output::Gshut { "the " } else { "" };
    format!("; {} {verb} {article}{word}", list(&cities))
}

fn cities(picture: &Picture, output: Output) -> Vec<&str> {
    let sites = picture.sites.iter().filter(|site: &&Site| site.output == output);
    sites.map(|site| site.city.as_str()).collect()
}
