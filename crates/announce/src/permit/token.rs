//! Tokens: how many sites operators and changes of the configuration may touch within ten minutes.
//!
//! A person can be wrong everywhere at once, and a file can be copied everywhere at once. A local failure needs no
//! token, a permit is asked for all the same, and the clock that ends a token decides nothing about who may be away:
//! a wrong clock makes operators faster or slower, never the fleet darker than `min_sites`.

use terms::{Reason, SiteName, WallTime};

use super::change::short;
use super::record::{Record, Token, count};
use super::refusal::Refusal;

impl Record {
    /// Takes the token for an action at `site`. A site that has one may act again until it ends.
    ///
    /// # Errors
    /// [`Refusal::NoToken`] when a quarter of the sites had their turn within [`Token::WINDOW`].
    pub fn take_token(&self, site: &SiteName, why: &Reason, now: WallTime) -> Result<Record, Refusal> {
        let mut next = self.next();
        let window = u64::try_from(Token::WINDOW.as_millis()).unwrap_or(u64::MAX);
        let latest = WallTime(now.0.saturating_add(window));
        next.tokens.retain(|_, token| token.until > now);
        // Written by a clock that ran ahead: from now on it lasts as long as any other.
        next.tokens.values_mut().for_each(|token| token.until = token.until.min(latest));
        if next.tokens.contains_key(site) {
            return Ok(next);
        }
        let limit = next.quarter();
        if count(next.tokens.len()) >= limit {
            let taken = next.tokens.keys().map(ToString::to_string).collect();
            return Err(Refusal::NoToken { limit, members: count(next.members.len()), taken });
        }
        next.tokens.insert(site.clone(), Token { why: short(why), until: latest });
        Ok(next)
    }

    /// Gives the token of `site` back, because nothing was done with it.
    pub fn return_token(&self, site: &SiteName) -> Record {
        if !self.tokens.contains_key(site) {
            return self.clone();
        }
        let mut next = self.next();
        next.tokens.remove(site);
        next
    }
}
