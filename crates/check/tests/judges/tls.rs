use crate::bodies::{self, NOW};
use crate::corpus;
use check::tls::Expectation;
use proptest::prelude::*;
use rcgen::{CertificateParams, KeyPair};
use std::sync::LazyLock;
use std::time::Duration;
use terms::{Verdict, WallTime};

const DAY: u64 = 86_400;

/// A certificate for these names, in force from one day to another, counted from now.
fn certificate(names: &[&str], from: i64, until: i64) -> Vec<u8> {
    let mut parameters =
        CertificateParams::new(names.iter().map(|name| name.to_string()).collect::<Vec<_>>()).unwrap();
    let at = |days: i64| {
        let seconds = i64::try_from(NOW.0 / 1000).unwrap() + days * i64::try_from(DAY).unwrap();
        time::OffsetDateTime::from_unix_timestamp(seconds).unwrap()
    };
    (parameters.not_before, parameters.not_after) = (at(from), at(until));
    parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

static GOOD: LazyLock<Vec<u8>> =
    LazyLock::new(|| certificate(&["www.example.com", "*.example.net", "192.0.2.1", "2001:db8::1"], -30, 60));

fn words(certificate: &[u8], name: &str, days: u64) -> String {
    let expectation = Expectation { name: name.parse().unwrap(), valid_for: Duration::from_secs(days * DAY) };
    bodies::words(&expectation.judge(certificate, NOW).verdict)
}

#[test]
fn verdicts() {
    for name in ["www.example.com", "a.example.net", "192.0.2.1", "2001:db8::1"] {
        assert_eq!(words(&GOOD, name, 30), "pass", "{name}");
    }
    assert_eq!(words(&GOOD, "example.com", 0), "Definite: the certificate is not for example.com");
    assert_eq!(words(&GOOD, "192.0.2.2", 0), "Definite: the certificate is not for 192.0.2.2");
    assert_eq!(words(&GOOD, "www.example.com", 60), "pass");
    assert_eq!(words(&GOOD, "www.example.com", 61), "Definite: the certificate expires in 60 days");
    let expired = certificate(&["a.example"], -30, -10);
    assert_eq!(words(&expired, "a.example", 0), "Definite: the certificate expired 10 days ago");
    let early = certificate(&["a.example"], 10, 30);
    assert_eq!(
        words(&early, "a.example", 0),
        "Definite: the certificate is not valid before 10 days from now"
    );
    let far = certificate(&["a.example"], -30, 100 * 365);
    assert_eq!(words(&far, "a.example", 0), "pass", "its year is written with four digits");
    assert_eq!(
        words(&certificate(&[], -1, 1), "a.example", 0),
        "Definite: the certificate is not for a.example"
    );
    assert_eq!(words(b"", "a.example", 0), "Definite: the certificate is malformed");
}

#[test]
fn the_corpus_is_judged() {
    corpus("check_certificate", bodies::certificate);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_bent_certificate_is_judged(
        bends in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut octets = GOOD.clone();
        for (at, octet) in bends {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        if let Some(cut) = cut {
            octets.truncate(cut.index(octets.len() + 1));
        }
        bodies::certificate(&octets);
    }

    #[test]
    fn any_octets_are_judged(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        bodies::certificate(&octets);
    }

    /// A certificate is good for a time, and neither before nor after.
    #[test]
    fn a_certificate_has_its_time(days in -100_i64..200) {
        let now = WallTime(NOW.0.checked_add_signed(days * i64::try_from(DAY).unwrap() * 1000).unwrap());
        let expectation = Expectation { name: "www.example.com".parse().unwrap(), valid_for: Duration::ZERO };
        let passes = expectation.judge(&GOOD, now).verdict == Verdict::Pass;
        prop_assert_eq!(passes, (-30..=60).contains(&days));
    }
}
