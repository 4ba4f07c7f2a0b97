//! Who may read and who may change: the checks in front of every route.

use api::Refusal;
use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header, uri::Authority};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::fmt::Write;
use std::net::IpAddr;

/// The header in which the page sends its token back.
pub const TOKEN_HEADER: &str = "x-catchment-token";

/// Everything the page needs comes from its own server, nothing is evaluated, nobody may frame it.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'";

/// Headers of every answer.
const HEADERS: [(header::HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Lets a request pass only under a name that is ours, and puts the headers on whatever is answered.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let mut response = match host(request.headers()) {
        Some(authority) if is_ours(&authority) => next.run(request).await,
        _ => {
            let refusal = Refusal::because("this Host is not served");
            forbidden(refusal.hint("open the page under localhost or an IP address"))
        }
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The one Host of the request; none if it is missing, doubled or unreadable.
fn host(headers: &HeaderMap) -> Option<Authority> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next()?;
    if hosts.next().is_some() { None } else { Authority::try_from(host.as_bytes()).ok() }
}

/// A page of another site can make its own *name* point here (DNS rebinding), but it cannot own `localhost` or an
/// address literal.
fn is_ours(authority: &Authority) -> bool {
    let name = authority.host();
    let literal = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || literal.parse::<IpAddr>().is_ok()
}

/// The secret of one start. Whoever sends it back has read the page, which no foreign page can.
pub(crate) struct Token(String);

impl Token {
    /// 256 random bits from the system.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bits = [0u8; 32];
        getrandom::fill(&mut bits)?;
        Ok(Token(bits.iter().fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })))
    }

    /// As the page carries it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares in a time that does not depend on where the first difference is.
    fn is(&self, sent: &[u8]) -> bool {
        let differences = self.0.bytes().zip(sent).fold(0, |sum, (ours, theirs)| sum | (ours ^ theirs));
        sent.len() == self.0.len() && differences == 0
    }
}

/// Whether the request may change something: sent by our own page, with the token that this page was given.
pub(crate) fn may_change(headers: &HeaderMap, token: &Token) -> Result<(), Refusal> {
    let ours = host(headers).map(|host| format!("http://{host}"));
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    if origin.is_none() || origin != ours.as_deref() {
        return Err(
            Refusal::because("this Origin may not change anything").hint("use the page's own buttons")
        );
    }
    match headers.get(TOKEN_HEADER) {
        Some(sent) if token.is(sent.as_bytes()) => Ok(()),
        _ => Err(Refusal::because("the token of this start is missing or old").hint("load the page again")),
    }
}

/// The answer to whoever may not.
pub(crate) fn forbidden(refusal: Refusal) -> Response {
    (StatusCode::FORBIDDEN, Json(refusal)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ours(host: &str) -> bool {
        Authority::try_from(host).is_ok_and(|authority| is_ours(&authority))
    }

    #[test]
    fn names_that_somebody_else_can_own_are_foreign() {
        for good in ["localhost", "LOCALHOST:8053", "127.0.0.1:8053", "[::1]:8053", "192.0.2.1"] {
            assert!(ours(good), "{good}");
        }
        for bad in
            ["evil.example", "evil.example:8053", "localhost.evil.example", "127.0.0.1.evil.example", ""]
        {
            assert!(!ours(bad), "{bad}");
        }
    }

    #[test]
    fn two_tokens_differ_and_only_the_whole_one_is_accepted() {
        let (token, other) = (Token::random().unwrap(), Token::random().unwrap());
        assert!(token.is(token.as_str().as_bytes()));
        assert!(!token.is(other.as_str().as_bytes()));
        assert!(!token.is(&token.as_str().as_bytes()[..63]));
        assert!(!token.is(format!("{}0", token.as_str()).as_bytes()));
        assert!(!token.is(b""));
    }

    proptest! {
        #[test]
        fn no_host_but_localhost_or_an_address_is_ours(host in "[a-z0-9.:\\[\\]@-]{0,24}") {
            if ours(&host) {
                let name = host.rsplit('@').next().unwrap();
                prop_assert!(name.starts_with("localhost") || name.starts_with('[')
                    || name.split(':').next().unwrap().parse::<IpAddr>().is_ok(), "{host}");
            }
        }
    }
}
