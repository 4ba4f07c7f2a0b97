//! Cookies and limits, as clients see them.

use super::*;
use ::dns::RateLimit;

/// Somebody who is not the service itself.
const CLIENT: &str = "127.0.0.1";

#[test]
fn dig_keeps_its_cookie_on_every_path() {
    let world = World::new(2);
    for address in SERVICE {
        for transport in ["+notcp", "+tcp"] {
            let ask =
                |cookie: &str| world.dig(&format!("@{address} {transport} +comments {cookie} example. SOA"));
            let first = ask("+cookie=0123456789abcdef");
            let cookie = cookie_of(&first);
            assert!(cookie.starts_with("0123456789abcdef01000000"), "{first}");
            assert_eq!(cookie_of(&ask(&format!("+cookie={cookie}"))), cookie, "it is good");
            let malformed = ask("+cookie=0123456789abcdef00");
            assert!(malformed.contains("status: FORMERR"), "{malformed}");
        }
    }
}

/// What `dig` says of a cookie that belongs to what it has sent.
fn cookie_of(comments: &str) -> String {
    let line = comments.lines().find_map(|line| line.strip_prefix("; COOKIE: "));
    let cookie = line.and_then(|line| line.strip_suffix(" (good)"));
    cookie.unwrap_or_else(|| panic!("{comments}")).to_owned()
}

#[test]
fn dig_learns_why_it_is_refused() {
    let world = World::new(1);
    let comments = world.dig("@198.18.0.53 +comments other. SOA");
    assert!(comments.contains("; EDE: 20 (Not Authoritative)"), "{comments}");
}

#[test]
fn who_is_over_the_limit_gets_everything_over_tcp_or_with_a_cookie() {
    let rate_limit = Some(RateLimit { per_second: 1.try_into().unwrap(), slip: 1 });
    let world = World::with(&Settings { rate_limit, ..settings(1) });
    let is_cut = |reply: Vec<u8>| reply[2] & 2 != 0;
    let is_client_cut = |id| is_cut(world.ask_from(CLIENT, SERVICE[0], &query(id, 6)));
    assert!((0..1000).any(is_client_cut), "nothing was limited");
    assert!(world.counts(Transport::Udp).slipped > 0);
    for arguments in ["+nocookie", "+cookie", "+tcp"] {
        let answer = world.dig(&format!("-b {CLIENT} @198.18.0.53 +noall +answer {arguments} example. SOA"));
        assert!(answer.contains("hostmaster"), "{arguments}: {answer}");
    }
    world.server.limit(None);
    let mut cut = true;
    wait_until("the end of the limit", || {
        let before = std::mem::replace(&mut cut, is_client_cut(1));
        !before && !cut
    });
}

/// Otherwise somebody who asks in the name of the service's network could make its checks fail, and it would be withdrawn.
#[test]
fn what_the_host_asks_itself_is_never_limited() {
    let rate_limit = Some(RateLimit { per_second: 1.try_into().unwrap(), slip: 1 });
    let world = World::with(&Settings { rate_limit, ..settings(1) });
    for id in 0..200 {
        for address in SERVICE {
            let reply = world.ask_at(address, &query(id, 6));
            assert_eq!(reply[2] & 6, 4, "authoritative, and not cut");
        }
    }
    assert_eq!(world.counts(Transport::Udp).slipped, 0);
}
