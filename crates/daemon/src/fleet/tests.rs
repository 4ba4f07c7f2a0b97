//! Drivers of several sites against a real etcd of three members, each in a network namespace of its own.
//!
//! A site here is the driver as it ships and a caricature of a decision loop: it announces until it has the permit,
//! and says what it does. Nothing is timed: a condition is waited for, and what must not happen is looked for at every
//! look in between.

mod cluster;
mod site;

use super::NoToken;
use api::{AwayCause, StoreState};
use cluster::{Cluster, until};
use site::Site;
use std::time::Duration;

fn fleet(cluster: &Cluster, names: &[&str], min_sites: u32) -> Vec<Site> {
    let sites: Vec<Site> = names.iter().map(|name| Site::start(cluster, name, min_sites)).collect();
    sites.iter().for_each(|site| site.announce());
    until("every site counts on every other", || {
        let complete = |site: &Site| site.standing() == names.len();
        sites.iter().all(complete)
    });
    sites
}

fn held(sites: &[Site]) -> usize {
    sites.iter().filter(|site| site.holds()).count()
}

/// Waits until so many sites hold a permit, and sees that there are never more.
fn held_at_most(sites: &[Site], most: usize) {
    until("as many as may go have gone", || {
        let held = held(sites);
        assert!(held <= most, "{held} permits, and {most} may be");
        held == most
    });
}

#[test]
fn when_everything_fails_at_once_the_last_sites_stay_though_the_leader_is_killed_meanwhile() {
    let mut cluster = Cluster::start();
    let sites = fleet(&cluster, &["london", "newyork", "paris", "tokyo"], 2);
    let leader = cluster.leader();
    sites.iter().for_each(Site::ask);
    cluster.kill(leader);
    held_at_most(&sites, 2);
    cluster.revive(leader);
    until("every site says how it stands", || {
        sites.iter().all(|site| site.status().store == StoreState::Reached)
    });
    assert_eq!(held(&sites), 2);
    assert!(sites.iter().all(|site| site.holds() || site.is_announced()), "the others stand");

    // One of them recovers: its place is taken by one that waits.
    let back = sites.iter().find(|site| site.holds()).unwrap();
    back.release();
    held_at_most(&sites, 2);
    assert!(!back.holds());
}

#[test]
fn two_operators_who_drain_at_the_same_moment_get_one_permit() {
    let cluster = Cluster::start();
    let sites = fleet(&cluster, &["london", "newyork", "paris"], 2);
    sites[..2].iter().for_each(Site::ask);
    held_at_most(&sites, 1);
    let (has, waits): (Vec<&Site>, Vec<&Site>) = sites[..2].iter().partition(|site| site.holds());
    until("the other one is told for whom it waits", || {
        waits[0].refusal().is_some_and(|refusal| refusal.contains(&has[0].name))
    });
    // The one that waits may give up; nothing has changed for it.
    waits[0].release();
    until("it stands", || sites.iter().all(|site| site.standing() == 2));
    assert!(waits[0].is_announced());
}

#[test]
fn operators_at_five_sites_at_once_may_act_at_two_of_them() {
    let cluster = Cluster::start();
    let sites = fleet(&cluster, &["london", "newyork", "paris", "rome", "tokyo"], 1);
    let acting: Vec<_> = sites.iter().map(Site::act).collect();
    let answers: Vec<_> = acting.into_iter().map(|acting| acting.join().unwrap()).collect();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 2, "{answers:?}");
    for (site, answer) in sites.iter().zip(&answers) {
        let again = site.act().join().unwrap();
        match answer {
            Ok(_) => assert_eq!(again, Ok([].into()), "one action, one token"),
            Err(no) => {
                let words = no.to_string();
                assert!(words.contains("at most 2 of 5 sites in ten minutes"), "{words}");
                assert_eq!(words.matches(" UTC (alice drains ").count(), 2, "{words}");
            }
        }
    }
    for name in ["member-1", "member-2"] {
        cluster.cut(name);
    }
    let no = sites.iter().zip(&answers).find(|(_, answer)| answer.is_err()).unwrap().0.act().join().unwrap();
    assert!(matches!(no, Err(NoToken::Silent | NoToken::Unknown { .. })), "{no:?}");
}

#[test]
fn a_site_that_is_cut_off_stays_announced_and_is_charged_until_it_is_back() {
    let cluster = Cluster::start();
    let sites = fleet(&cluster, &["london", "newyork", "paris"], 1);
    cluster.cut(&sites[2].name);
    sites[2].ask();
    until("the others charge it", || {
        assert!(!sites[2].holds(), "a permit came through a cut cable");
        sites[0].away("paris") == Some(AwayCause::Charge)
    });
    until("it knows that it is alone", || sites[2].status().store == StoreState::Lost);
    assert!(sites[2].is_announced());
    sites[..2].iter().for_each(Site::ask);
    held_at_most(&sites, 1);

    cluster.mend(&sites[2].name);
    until("it is answered", || sites[2].status().store == StoreState::Reached);
    sites[2].release();
    until("it clears its own charge", || sites[0].away("paris").is_none());
    held_at_most(&sites, 2);
}

#[test]
fn without_a_majority_nobody_may_go_and_nothing_changes() {
    let cluster = Cluster::start();
    let sites = fleet(&cluster, &["london", "newyork", "paris"], 1);
    // A minority is missed by nobody.
    cluster.cut("member-1");
    sites[0].ask();
    held_at_most(&sites, 1);

    cluster.cut("member-2");
    until("every site sees that the store is lost", || {
        sites.iter().all(|site| site.status().store == StoreState::Lost && !site.status().alarms.is_empty())
    });
    sites[1].ask();
    std::thread::sleep(2 * site::LEASE);
    assert!(!sites[1].holds() && sites[1].is_announced());
    assert!(sites[0].holds(), "what is held stays held");

    cluster.mend("member-1");
    cluster.mend("member-2");
    held_at_most(&sites, 2);
    until("all alarms are over", || sites.iter().all(|site| site.status().alarms.is_empty()));
}

#[test]
fn a_store_that_was_restored_from_a_backup_gives_no_leave_before_everybody_has_confirmed() {
    let mut cluster = Cluster::start();
    let sites = fleet(&cluster, &["london", "newyork", "paris"], 1);
    let backup = cluster.backup();
    sites[0].ask();
    held_at_most(&sites, 1);
    // Paris cannot confirm. The backup knows nothing of the permit of London.
    cluster.cut("paris");
    cluster.restore(&backup);
    until("london says again that it is away", || sites[1].away("london") == Some(AwayCause::Permit));
    sites[1].ask();
    until("newyork is told whom to wait for", || {
        assert!(!sites[1].holds(), "leave was given, and paris has not confirmed");
        sites[1].refusal().is_some()
    });
    assert!(sites[0].holds() && sites[1].is_announced() && sites[2].is_announced());
    cluster.mend("paris");
    held_at_most(&sites, 2);
}

#[test]
fn who_stops_in_order_is_gone_at_once_and_away_once() {
    let cluster = Cluster::start();
    // No lease lapses while anybody waits here.
    let start = |name: &&str| Site::start_with(&cluster, name, 1, Duration::from_secs(3600));
    let mut sites: Vec<Site> = ["london", "newyork", "paris"].iter().map(start).collect();
    sites.iter().for_each(Site::announce);
    until("every site counts on every other", || sites.iter().all(|site| site.standing() == 3));
    until("every site sees every other", || sites.iter().all(|site| site.sees("paris")));

    // With a permit.
    sites[2].ask();
    until("paris may go", || sites[2].holds());
    sites.remove(2).stop();
    until("paris is gone", || !sites[0].sees("paris"));
    assert_eq!(sites[0].away("paris"), Some(AwayCause::Permit));
    assert_eq!(sites[0].taken(), Some(1));

    // Without one.
    sites.remove(1).stop();
    until("newyork is gone", || !sites[0].sees("newyork"));
    assert_eq!(sites[0].away("newyork"), Some(AwayCause::Charge));
    assert_eq!(sites[0].taken(), Some(2));
}

/// Each writes into the same record, and only one is in time.
#[test]
fn who_stop_at_once_are_all_away() {
    let cluster = Cluster::start();
    let names = ["london", "newyork", "paris", "tokyo", "lisbon"];
    let start = |name: &&str| Site::start_with(&cluster, name, 1, Duration::from_secs(3600));
    let mut sites: Vec<Site> = names.iter().map(start).collect();
    sites.iter().for_each(Site::announce);
    until("every site counts on every other", || sites.iter().all(|site| site.standing() == names.len()));
    until("london sees every other", || names.iter().all(|name| sites[0].sees(name)));
    sites.drain(1..).for_each(Site::stop);
    until("they are gone", || !names[1..].iter().any(|name| sites[0].sees(name)));
    assert_eq!(sites[0].taken(), Some(4));
}
