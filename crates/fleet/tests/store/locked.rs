//! An etcd that speaks TLS only, and one that asks for a password: who is let in, and what the others are told.

use crate::server::Server;
use fleet::etcd::{Login, Settings, Tls};
use fleet::{Etcd, Store};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(directory: &Path, name: &str) -> Authority {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    fs::write(directory.join(format!("{name}.pem")), authority.pem()).unwrap();
    authority
}

/// A certificate for the loopback address, and its key.
fn certificate(directory: &Path, name: &str, authority: &Authority) -> (PathBuf, PathBuf) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let files = (directory.join(format!("{name}.pem")), directory.join(format!("{name}.key")));
    fs::write(&files.0, certificate.pem()).unwrap();
    fs::write(&files.1, key.serialize_pem()).unwrap();
    files
}

async fn refusal(settings: Settings) -> String {
    Etcd::new(settings).read(&"ready".parse().unwrap()).await.unwrap_err().to_string()
}

#[tokio::test]
async fn tls_lets_in_who_shows_the_right_certificate_and_tells_the_others_why_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let (ours, theirs) = (authority(directory.path(), "ours"), authority(directory.path(), "theirs"));
    let server = certificate(directory.path(), "server", &ours);
    let member = certificate(directory.path(), "london", &ours);
    let stranger = certificate(directory.path(), "stranger", &theirs);
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let arguments = [
        "--cert-file".to_owned(),
        text(&server.0),
        "--key-file".to_owned(),
        text(&server.1),
        "--client-cert-auth".to_owned(),
        "--trusted-ca-file".to_owned(),
        text(&path("ours.pem")),
    ];
    let good = Tls { ca_file: path("ours.pem"), identity: Some(member.clone()) };
    let server = Server::start_with("https", &arguments, Some(good.clone())).await;
    let with = |tls: Tls| Settings { tls: Some(tls), ..server.settings() };

    assert!(Etcd::new(with(good.clone())).list(&"sites".parse().unwrap()).await.is_ok());
    let wrong_authority = refusal(with(Tls { ca_file: path("theirs.pem"), ..good.clone() })).await;
    assert!(wrong_authority.contains("invalid peer certificate: UnknownIssuer"), "{wrong_authority}");
    for identity in [None, Some(stranger)] {
        let told = refusal(with(Tls { identity, ..good.clone() })).await;
        assert!(told.starts_with("etcd at https://127.0.0.1:") && told.len() > 40, "{told}");
    }
    let missing = refusal(with(Tls { ca_file: path("none.pem"), ..good })).await;
    assert!(missing.contains("cannot read") && missing.contains("none.pem"), "{missing}");
    let plain = Settings { tls: None, ..server.settings() };
    let endpoints = plain.endpoints.iter().map(|one| one.replace("https", "http")).collect();
    assert!(refusal(Settings { endpoints, ..plain }).await.starts_with("etcd at http://127.0.0.1:"));
}

#[tokio::test]
async fn a_cluster_with_authentication_lets_in_who_knows_the_password_and_may_write() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start().await;
    let etcdctl = |arguments: &[&str]| {
        let mut command = Command::new("etcdctl");
        command
            .env("ETCDCTL_API", "3")
            .args(["--endpoints", &server.settings().endpoints[0]])
            .args(arguments);
        let output = command.output().expect("etcdctl, of the Debian package etcd-client");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    etcdctl(&["user", "add", "root:secret"]);
    etcdctl(&["user", "add", "london:north"]);
    etcdctl(&["role", "add", "catchment"]);
    etcdctl(&["role", "grant-permission", "catchment", "--prefix=true", "readwrite", "/catchment/"]);
    etcdctl(&["user", "grant-role", "london", "catchment"]);
    etcdctl(&["auth", "enable"]);

    let file = |name: &str, content: &str| {
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let login = |password_file: PathBuf| Some(Login { username: "london".to_owned(), password_file });
    let (right, wrong) = (file("right", "north\n"), file("wrong", "south\n"));
    let store = Etcd::new(Settings { login: login(right.clone()), ..server.settings() });
    store.replace(&"groups/dns".parse().unwrap(), None, b"1".to_vec()).await.unwrap();
    let (_, _watch) = store.watch(&"groups".parse().unwrap()).await.unwrap();

    let told = refusal(Settings { login: login(wrong), ..server.settings() }).await;
    assert!(told.contains("authentication failed, invalid user ID or password"), "{told}");
    let told = refusal(server.settings()).await;
    assert!(told.contains("user name is empty"), "{told}");
    let elsewhere = Settings { login: login(right), prefix: "other".to_owned(), ..server.settings() };
    let told = refusal(elsewhere).await;
    assert!(told.contains("permission denied"), "{told}");
}
