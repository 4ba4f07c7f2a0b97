use super::*;

const HEAD: &str = "[site]\nname = 'london'\nasn = 64501\nrouter_id = '10.1.0.10'\n\
    [[peer]]\nname = 'transit'\naddress = '10.1.0.1'\nasn = 64500\n\
    [[service]]\nname = 'all'\naddresses = ['198.18.0.53']\nannounce = ['198.18.0.0/24']\n";
const ZONE: &str =
    "$ORIGIN example.\n@ 60 SOA ns1 hostmaster 1 1h 15m 1w 5m\n 60 NS ns1\nns1 60 A 198.18.0.53\n";

/// What becomes of these checks of a service with DNS built in.
fn tried(checks: &[&str]) -> Vec<CanFail> {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("example.zone"), ZONE).unwrap();
    let check = |check: &&str| format!("[[service.check]]\n{check}\n");
    let checks: String = checks.iter().map(check).collect();
    let text = format!("{HEAD}{checks}[service.dns]\nzones = ['example.zone']\n");
    let site_file = config::parse("site.toml", &text, directory.path()).unwrap();
    prove(&site_file).unwrap().into_iter().map(|proof| proof.can_fail).collect()
}

#[test]
fn every_kind_can_fail() {
    let proofs = tried(&[
        "dns = { name = 'example.' }",
        "dns = { name = 'ns1.example.', type = 'A', code = 'NXDOMAIN' }",
        "http = { url = 'http://www.example.com/', contains = 'ready' }",
        "http = { url = 'https://www.example.com/', verify = false }",
        "tcp = { port = 25, banner = '220 ' }",
        "tls = { server_name = 'www.example.com', verify = false }",
        "exec = { command = ['/bin/true'] }",
        "file = { path = 'example.zone', max_age = '1h' }",
        "clock = { server = '127.0.0.1' }",
        "passive = {}",
    ]);
    assert_eq!(proofs.len(), 11, "and that of the zones, which nobody has to write");
    for can_fail in proofs {
        assert!(matches!(can_fail, CanFail::Yes(_)), "{can_fail:?}");
    }
}

#[test]
fn what_passes_whatever_happens_is_found() {
    let every_status: Vec<u16> = (100..600).collect();
    let useless = format!("http = {{ url = 'http://www.example.com/', status = {every_status:?} }}");
    let proofs = tried(&[&useless]);
    let [CanFail::No(reason), CanFail::Yes(_)] = &proofs[..] else { panic!("{proofs:?}") };
    assert_eq!(reason.as_str(), "it passes an empty error page");
}

#[test]
fn one_pass_is_one_too_many_and_no_trial_is_no_proof() {
    let (pass, fail) = (("a", Verdict::Pass), ("b", Verdict::definite("no")));
    let neither = ("c", Verdict::indeterminate("no socket"));
    assert_eq!(CanFail::of(vec![fail.clone(), pass]), CanFail::No("it passes a".into()));
    assert_eq!(CanFail::of(vec![neither.clone(), fail]), CanFail::Yes("b: no".into()));
    assert_eq!(CanFail::of(vec![neither]), CanFail::Unknown("c: no socket".into()));
    assert!(matches!(CanFail::of(Vec::new()), CanFail::Unknown(_)));
}
