use super::*;
use proptest::prelude::*;

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 18, 0, 7);
const SOURCE: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 18);
const UP: Interface = Interface(0);
const LEFT: Interface = Interface(1);
const RIGHT: Interface = Interface(2);

fn at(ms: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_millis(ms)
}

fn router() -> Proxy {
    let mut router = Proxy::new(Some(UP), [LEFT, RIGHT], at(0));
    router.handle(Input::Time, at(0));
    assert_eq!(outputs(&mut router), [Output::Query(LEFT, None), Output::Query(RIGHT, None)]);
    router
}

fn outputs(router: &mut Proxy) -> Vec<Output> {
    std::iter::from_fn(|| router.poll_output()).collect()
}

fn says(interface: Interface, group: Ipv4Addr, wanted: bool) -> Input {
    Input::Heard(Some(interface), Heard::Report(vec![Change { group, wanted }]))
}

fn unresolved(from: Interface, source: Ipv4Addr) -> Input {
    Input::Heard(None, Heard::Unresolved { source, group: GROUP, interface: from.0 })
}

#[test]
fn a_member_is_told_to_the_root_and_gets_what_is_sent() {
    let mut router = router();
    router.handle(unresolved(LEFT, SOURCE), at(1));
    let flow = Flow { source: SOURCE, group: GROUP };
    assert_eq!(outputs(&mut router), [Output::Forward(flow, LEFT, vec![UP])], "the root may know somebody");
    router.handle(says(RIGHT, GROUP, true), at(2));
    let joined = [Output::Join(GROUP), Output::Forward(flow, LEFT, vec![UP, RIGHT])];
    assert_eq!(outputs(&mut router), joined);
    router.handle(says(LEFT, GROUP, true), at(3));
    assert_eq!(outputs(&mut router), [Output::Forward(flow, LEFT, vec![UP, RIGHT])], "never back");
}

#[test]
fn who_leaves_is_gone_when_nobody_else_answers() {
    let mut router = router();
    router.handle(says(RIGHT, GROUP, true), at(0));
    router.handle(says(RIGHT, GROUP, false), at(100));
    assert_eq!(outputs(&mut router), [Output::Join(GROUP), Output::Query(RIGHT, Some(GROUP))]);
    router.handle(Input::Time, at(599));
    assert_eq!(outputs(&mut router), []);
    router.handle(Input::Time, at(600));
    assert_eq!(outputs(&mut router), [Output::Query(RIGHT, Some(GROUP))]);
    assert!(router.groups().contains_key(&GROUP));
    router.handle(Input::Time, at(1100));
    assert_eq!(outputs(&mut router), [Output::Leave(GROUP)]);
    assert!(router.groups().is_empty());
}

#[test]
fn who_stays_keeps_the_group_for_the_link() {
    let mut router = router();
    router.handle(says(RIGHT, GROUP, true), at(0));
    router.handle(says(RIGHT, GROUP, false), at(100));
    router.handle(says(RIGHT, GROUP, true), at(300));
    outputs(&mut router);
    router.handle(Input::Time, at(4999));
    assert_eq!(outputs(&mut router), []);
    assert_eq!(router.groups(), BTreeMap::from([(GROUP, BTreeSet::from([RIGHT]))]));
}

#[test]
fn who_falls_silent_is_forgotten_and_who_answers_is_not() {
    let mut router = router();
    for interface in [LEFT, RIGHT] {
        router.handle(says(interface, GROUP, true), at(0));
    }
    for second in 1..=20 {
        router.handle(Input::Time, at(1000 * second));
        if second % 5 == 0 {
            router.handle(says(LEFT, GROUP, true), at(1000 * second));
        }
    }
    assert_eq!(router.groups(), BTreeMap::from([(GROUP, BTreeSet::from([LEFT]))]));
}

#[test]
fn nothing_is_believed_that_comes_from_the_root_or_stays_on_its_link() {
    let mut router = router();
    router.handle(says(UP, GROUP, true), at(0));
    router.handle(Input::Heard(None, Heard::Report(vec![Change { group: GROUP, wanted: true }])), at(0));
    router.handle(says(LEFT, Ipv4Addr::new(224, 0, 0, 251), true), at(0));
    router.handle(unresolved(Interface(9), SOURCE), at(0));
    assert_eq!((router.groups().len(), outputs(&mut router)), (0, vec![]));
}

/// What may happen to a router in a test.
fn happening() -> impl Strategy<Value = (u64, Input)> {
    let interface = (0u16..5).prop_map(Interface);
    let group = any::<u8>().prop_map(|last| Ipv4Addr::new(239, 0, 0, last));
    let report = (interface, group.clone(), any::<bool>()).prop_map(|(interface, group, wanted)| {
        Input::Heard(Some(interface), Heard::Report(vec![Change { group, wanted }]))
    });
    let unresolved = (0u16..5, any::<u16>(), group).prop_map(|(interface, last, group)| {
        let [high, low] = last.to_be_bytes();
        let source = Ipv4Addr::new(10, 0, high, low);
        Input::Heard(None, Heard::Unresolved { source, group, interface })
    });
    (0u64..2000, prop_oneof![4 => report, 4 => unresolved, 1 => Just(Input::Time)])
}

proptest! {
    #[test]
    fn the_kernel_forwards_to_members_and_the_root_only(
        happenings in proptest::collection::vec(happening(), 0..700),
    ) {
        let mut router = Proxy::new(Some(UP), [LEFT, RIGHT], at(0));
        let mut kernel: BTreeMap<Flow, (Interface, Vec<Interface>)> = BTreeMap::new();
        let mut joined = BTreeSet::new();
        let mut now = 0;
        for (later, input) in happenings {
            now += later;
            router.handle(Input::Time, at(now));
            router.handle(input, at(now));
            while let Some(output) = router.poll_output() {
                match output {
                    Output::Join(group) => prop_assert!(joined.insert(group)),
                    Output::Leave(group) => prop_assert!(joined.remove(&group)),
                    Output::Forward(flow, from, to) => drop(kernel.insert(flow, (from, to))),
                    Output::Forget(flow) => prop_assert!(kernel.remove(&flow).is_some()),
                    Output::Query(interface, _) => prop_assert!([LEFT, RIGHT].contains(&interface)),
                }
            }
            let groups = router.groups();
            prop_assert!(groups.len() <= MOST_GROUPS && kernel.len() <= MOST_FLOWS);
            prop_assert_eq!(&joined, &groups.keys().copied().collect::<BTreeSet<_>>());
            for (flow, (from, to)) in &kernel {
                let wanting = groups.get(&flow.group).cloned().unwrap_or_default();
                let expected: BTreeSet<Interface> =
                    wanting.into_iter().chain([UP]).filter(|to| to != from).collect();
                prop_assert_eq!(&to.iter().copied().collect::<BTreeSet<_>>(), &expected);
            }
            prop_assert!(router.deadline() > at(now));
        }
    }
}
