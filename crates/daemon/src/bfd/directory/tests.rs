use super::*;
use ::bfd::session::{Input, Output, Settings, StateName};
use terms::Timestamp;

const UNTOUCHED_LIMIT: Option<i32> = Some(UNTOUCHED);

fn watch(name: &str, neighbour: &str, hops: Hops) -> Watch {
    let neighbour: SocketAddr = neighbour.parse().unwrap();
    let multiplier = 3.try_into().unwrap();
    Watch {
        name: name.parse().unwrap(),
        neighbour,
        hops,
        settings: Settings {
            interval: std::time::Duration::from_millis(300).into(),
            multiplier,
            passive: false,
        },
        voice: Voice::open(neighbour, hops.port()).unwrap(),
        shown: Shown::default(),
    }
}

fn add(directory: &mut Directory, name: &str, neighbour: &str, hops: Hops) -> Discriminator {
    directory.add(watch(name, neighbour, hops), WallTime(0)).session.discriminator()
}

/// What another end says that does not know us yet, or calls our session like this.
fn packet(yours: Option<Discriminator>) -> Packet {
    let settings = watch("other", "127.0.0.9:179", Hops::Single).settings;
    let mut session = Session::new(settings, Discriminator(NonZeroU32::MIN), 1);
    session.handle(Input::Start, Timestamp::ZERO);
    let said = std::iter::from_fn(|| session.poll_output());
    let said = said.filter_map(|output| if let Output::Send(packet) = output { Some(packet) } else { None });
    let first = said.last().unwrap();
    assert_eq!(first.state, StateName::Down);
    Packet { your_discriminator: yours, ..first }
}

/// Whose path it is for.
fn found(
    directory: &mut Directory,
    packet: &Packet,
    hops: Hops,
    from: &str,
    limit: Option<i32>,
) -> Result<String, Discarded> {
    let link = directory.addressee(packet, hops, from.parse().unwrap(), limit)?;
    Ok(link.name.to_string())
}

#[test]
fn a_packet_finds_its_path_by_address_and_then_by_name() {
    let mut directory = Directory::default();
    let near = add(&mut directory, "near", "127.0.0.1:179", Hops::Single);
    let far = add(&mut directory, "far", "127.0.0.2:179", Hops::Multiple);
    let mut ask = |yours, hops, from, limit| found(&mut directory, &packet(yours), hops, from, limit);
    for yours in [None, Some(near)] {
        assert_eq!(ask(yours, Hops::Single, "127.0.0.1:50000", UNTOUCHED_LIMIT), Ok("near".into()));
    }
    assert_eq!(ask(Some(far), Hops::Multiple, "127.0.0.2:50000", Some(3)), Ok("far".into()));
    assert_eq!(ask(None, Hops::Single, "127.0.0.1:50000", Some(254)), Err(Discarded::TooFar));
    assert_eq!(ask(None, Hops::Single, "127.0.0.1:50000", None), Err(Discarded::TooFar));
    let unknown = Discriminator(NonZeroU32::MAX);
    for (yours, hops, from) in [
        (None, Hops::Single, "127.0.0.3:50000"),
        (None, Hops::Multiple, "127.0.0.1:50000"),
        (Some(near), Hops::Single, "127.0.0.2:50000"),
        (Some(near), Hops::Multiple, "127.0.0.1:50000"),
        (Some(unknown), Hops::Single, "127.0.0.1:50000"),
    ] {
        assert_eq!(ask(yours, hops, from, UNTOUCHED_LIMIT), Err(Discarded::Stranger), "{yours:?} {from}");
    }
}

#[test]
fn a_link_local_address_counts_on_its_link() {
    let mut directory = Directory::default();
    add(&mut directory, "first", "[fe80::1%1]:179", Hops::Single);
    let mut ask = |from| found(&mut directory, &packet(None), Hops::Single, from, UNTOUCHED_LIMIT);
    assert_eq!(ask("[fe80::1%1]:50000"), Ok("first".into()));
    assert_eq!(ask("[fe80::1%2]:50000"), Err(Discarded::Stranger));
}

#[test]
fn a_path_that_is_watched_again_is_alone() {
    let mut directory = Directory::default();
    let before = add(&mut directory, "near", "127.0.0.1:179", Hops::Single);
    directory.named(&"near".parse().unwrap()).unwrap().shown = None;
    assert!(directory.named(&"near".parse().unwrap()).is_none(), "it is on its way out");
    assert_eq!(
        found(&mut directory, &packet(None), Hops::Single, "127.0.0.1:1", UNTOUCHED_LIMIT),
        Ok("near".into())
    );
    let after = add(&mut directory, "near", "127.0.0.1:179", Hops::Single);
    assert_ne!(before, after);
    let stale = found(&mut directory, &packet(Some(before)), Hops::Single, "127.0.0.1:1", UNTOUCHED_LIMIT);
    assert_eq!(stale, Err(Discarded::Stranger));
    assert_eq!(directory.all().count(), 1);
}
