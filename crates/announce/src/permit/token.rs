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
    /// Whether `site` may act without another token. One that was written by a clock that ran ahead has to be taken
    /// anew, which makes it last as long as any other.
    pub fn has_token(&self, site: &SiteName, now: WallTime) -> bool {
        self.tokens.get(site).is_some_and(|token| token.until > now && token.until <= latest(now))
    }

    /// Takes the token for an action at `site`. A site that has one may act again until it ends.
    ///
    /// # Errors
    /// [`Refusal::NoToken`] when a quarter of the sites had their turn within [`Token::WINDOW`].
    pub fn take_token(&self, site: &SiteName, why: &Reason, now: WallTime) -> Result<Record, Refusal> {
        let mut next = self.next();
        let latest = latest(now);
        next.tokens.retain(|_, token| token.until > now);
        // Written by a clock that ran ahead: from now on it lasts as long as any other.
        next.tokens.values_mut().for_each(|token| token.until = token.until.min(latest));
        if next.tokens.contains_key(site) {
            return Ok(next);
        }
        let limit = next.quarter();
        if count(next.tokens.len()) >= limit {
            let taken = next.tokens.iter().map(|(site, token)| turn(site, token)).collect();
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

/// When a token ends that is taken now.
fn latest(now: WallTime) -> WallTime {
    let window = u64::try_from(Token::WINDOW.as_millis()).unwrap_or(u64::MAX);
    WallTime(now.0.saturating_add(window))
}

/// Who acts where and until when: `paris until 14:03:22 UTC (alice ordered to drain: line card)`.
fn turn(site: &SiteName, Token { why, until }: &Token) -> String {
    let (hours, minutes, seconds) = (until.0 / 3_600_000 % 24, until.0 / 60_000 % 60, until.0 / 1000 % 60);
    format!("{site} until {hours:02}:{minutes:02}:{seconds:02} UTC ({why})")
}
