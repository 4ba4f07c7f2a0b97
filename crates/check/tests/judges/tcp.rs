use crate::bodies;
use check::Progress;
use check::tcp::Expectation;
use proptest::prelude::*;
use terms::Verdict;

fn words(banner: Option<&str>, said: &[u8], ended: bool) -> String {
    match (Expectation { banner: banner.map(str::to_owned) }).judge(said, ended) {
        Progress::More => "more".to_owned(),
        Progress::Done(verdict) => bodies::words(&verdict),
    }
}

#[test]
fn a_greeting_is_judged_from_its_first_octet() {
    assert_eq!(words(None, b"", false), "pass");
    assert_eq!(words(Some("220 "), b"220 mail.example.com ESMTP\r\n", false), "pass");
    assert_eq!(words(Some("220 "), b"22", false), "more");
    assert_eq!(words(Some("220 "), b"22", true), "Definite: closed before it had greeted");
    assert_eq!(words(Some("220 "), b"421 busy\r\nbye", false), "Definite: greeted with \"421 busy\"");
    assert_eq!(words(Some("220 "), b"4", false), "Definite: greeted with \"4\"");
}

proptest! {
    #[test]
    fn only_the_greeting_passes(banner in "[ -~]{1,20}", said in prop::collection::vec(any::<u8>(), 0..40), right: bool) {
        let said = if right { [banner.as_bytes(), &said].concat() } else { said };
        let judged = Expectation { banner: Some(banner.clone()) }.judge(&said, true);
        prop_assert_eq!(judged == Progress::Done(Verdict::Pass), said.starts_with(banner.as_bytes()));
    }
}
