//! What the rest of the program relies on, whatever store it is given.

use fleet::{Change, Key, LONGEST_VALUE, Listing, MOST_LISTED, ReplaceError, Revision, Store, Watch};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long a change may take to be heard of: the machine may be busy, and nothing here is timed.
const PATIENCE: Duration = Duration::from_secs(60);
/// The shortest lease that every store can give.
const LIFETIME: Duration = Duration::from_secs(2);

/// Every rule, each on a store of its own.
pub(crate) async fn suite<S: Store>(mut fresh: impl FnMut() -> S) {
    a_value_is_read_as_it_was_put(fresh()).await;
    only_who_knows_the_revision_replaces(fresh()).await;
    no_increment_is_lost(fresh()).await;
    revisions_only_grow(fresh()).await;
    a_listing_holds_what_lies_below(fresh()).await;
    too_long_and_too_many_are_errors(fresh()).await;
    a_watch_tells_every_change_in_order(fresh()).await;
    a_lease_lives_while_it_is_renewed(fresh()).await;
    a_lease_that_is_given_back_is_over_at_once(fresh()).await;
}

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

async fn put(store: &impl Store, at: &str, value: &[u8]) -> Revision {
    let standing = store.read(&key(at)).await.unwrap().entry.map(|entry| entry.revision);
    store.replace(&key(at), standing, value.to_owned()).await.unwrap().revision
}

async fn a_value_is_read_as_it_was_put(store: impl Store) {
    assert_eq!(store.read(&key("groups/dns")).await.unwrap().entry, None);
    for value in [&b"first"[..], b"", b"\0\xff not text"] {
        let revision = put(&store, "groups/dns", value).await;
        let reading = store.read(&key("groups/dns")).await.unwrap();
        let entry = reading.entry.unwrap();
        assert_eq!((entry.key, entry.revision, &entry.value[..]), (key("groups/dns"), revision, value));
        assert!(reading.at >= revision);
    }
}

async fn only_who_knows_the_revision_replaces(store: impl Store) {
    let at = key("groups/dns");
    let replace = async |expected, value: &[u8]| store.replace(&at, expected, value.to_owned()).await;
    assert_eq!(replace(Some(Revision(1)), b"of nothing").await, Err(ReplaceError::Conflict));
    let first = replace(None, b"first").await.unwrap().revision;
    assert_eq!(replace(None, b"as if new").await, Err(ReplaceError::Conflict));
    let second = replace(Some(first), b"second").await.unwrap().revision;
    assert_eq!(replace(Some(first), b"late").await, Err(ReplaceError::Conflict));
    assert_eq!(replace(Some(Revision(second.0 + 1)), b"early").await, Err(ReplaceError::Conflict));
    assert_eq!(store.read(&at).await.unwrap().entry.unwrap().value, b"second");
}

async fn no_increment_is_lost(store: impl Store) {
    const TASKS: u8 = 8;
    const ROUNDS: u8 = 5;
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        let store = store.clone();
        tasks.spawn(async move {
            for _ in 0..ROUNDS {
                loop {
                    let entry = store.read(&key("counter")).await.unwrap().entry;
                    let count = entry.as_ref().map_or(0, |entry| entry.value[0]);
                    let standing = entry.map(|entry| entry.revision);
                    match store.replace(&key("counter"), standing, vec![count + 1]).await {
                        Ok(_) => break,
                        Err(ReplaceError::Conflict) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    assert_eq!(store.read(&key("counter")).await.unwrap().entry.unwrap().value, [TASKS * ROUNDS]);
}

async fn revisions_only_grow(store: impl Store) {
    let mut latest = store.read(&key("a")).await.unwrap().at;
    for at in ["a", "b", "a", "c", "b"] {
        let revision = put(&store, at, at.as_bytes()).await;
        assert!(revision > latest, "{revision:?} after {latest:?}");
        latest = store.read(&key("elsewhere")).await.unwrap().at;
        assert!(latest >= revision);
    }
}

fn keys(listing: &Listing) -> Vec<&str> {
    listing.entries.iter().map(|entry| entry.key.as_str()).collect()
}

async fn a_listing_holds_what_lies_below(store: impl Store) {
    assert_eq!(store.list(&key("sites")).await.unwrap().entries, []);
    for at in
        ["sites/paris/p-1", "sites", "sites-2/a", "sites/london/l-1", "site/a", "sitesx", "sites/london/l-2"]
    {
        put(&store, at, at.as_bytes()).await;
    }
    let listing = store.list(&key("sites")).await.unwrap();
    assert_eq!(keys(&listing), ["sites/london/l-1", "sites/london/l-2", "sites/paris/p-1"]);
    assert!(listing.entries.iter().all(|entry| entry.value == entry.key.as_str().as_bytes()));
    assert!(listing.entries.iter().all(|entry| entry.revision <= listing.at));
    assert_eq!(keys(&store.list(&key("sites/london")).await.unwrap()).len(), 2);
}

async fn too_long_and_too_many_are_errors(store: impl Store) {
    let at = key("groups/dns");
    let longest = store.replace(&at, None, vec![1; LONGEST_VALUE]).await.unwrap().revision;
    let refused = store.replace(&at, Some(longest), vec![2; LONGEST_VALUE + 1]).await;
    assert!(matches!(refused, Err(ReplaceError::Unavailable(_))), "{refused:?}");
    assert!(store.present(&key("sites/a"), &vec![3; LONGEST_VALUE + 1], LIFETIME, None).await.is_err());
    assert_eq!(store.read(&at).await.unwrap().entry.unwrap().value, vec![1; LONGEST_VALUE]);

    let mut tasks = JoinSet::new();
    for number in 0..MOST_LISTED {
        let store = store.clone();
        let at = key(&format!("many/{number}"));
        tasks.spawn(async move { store.present(&at, b"", 10 * LIFETIME, None).await.unwrap() });
        if tasks.len() > 16 {
            tasks.join_next().await.unwrap().unwrap();
        }
    }
    while tasks.join_next().await.is_some() {}
    assert_eq!(store.list(&key("many")).await.unwrap().entries.len(), MOST_LISTED);
    put(&store, "many/more", b"").await;
    let refused = store.list(&key("many")).await.unwrap_err();
    assert!(refused.to_string().contains("more than 1024 entries lie below many"), "{refused}");
}

async fn next(watch: &mut Watch) -> Change {
    timeout(PATIENCE, watch.next()).await.expect("a change is heard of").expect("the watch goes on")
}

async fn a_watch_tells_every_change_in_order(store: impl Store) {
    put(&store, "sites/a", b"before").await;
    let (listing, mut watch) = store.watch(&key("sites")).await.unwrap();
    assert_eq!(keys(&listing), ["sites/a"]);
    for (at, value) in [("sites/b", b"1"), ("sites/a", b"2"), ("elsewhere/a", b"3"), ("sites/b", b"4")] {
        put(&store, at, value).await;
    }
    let mut latest = listing.at;
    for (at, value) in [("sites/b", b"1"), ("sites/a", b"2"), ("sites/b", b"4")] {
        let Change::Put(entry) = next(&mut watch).await else { panic!("nothing was removed") };
        assert_eq!((entry.key.as_str(), &entry.value[..]), (at, &value[..]));
        assert!(entry.revision > latest);
        latest = entry.revision;
    }
}

async fn a_lease_lives_while_it_is_renewed(store: impl Store) {
    let at = key("sites/london/l-1");
    let (_, mut watch) = store.watch(&key("sites")).await.unwrap();
    let mut lease = store.present(&at, b"0", LIFETIME, None).await.unwrap();
    let Change::Put(first) = next(&mut watch).await else { panic!("it was put") };
    assert_eq!((&first.key, &first.value[..]), (&at, &b"0"[..]));
    // Twice as long as the lease, renewed in time.
    for _ in 0..8 {
        tokio::time::sleep(LIFETIME / 4).await;
        lease = store.present(&at, b"0", LIFETIME, Some(lease)).await.unwrap();
        assert_eq!(
            store.read(&at).await.unwrap().entry,
            Some(first.clone()),
            "saying the same writes nothing"
        );
    }
    let lease = store.present(&at, b"1", LIFETIME, Some(lease)).await.unwrap();
    assert!(matches!(next(&mut watch).await, Change::Put(entry) if entry.value == b"1"));
    // Renewed no more, it lapses; watchers hear of it, and a late renewal is a new lease.
    assert_eq!(next(&mut watch).await, Change::Gone(at.clone()));
    assert_eq!(store.read(&at).await.unwrap().entry, None);
    let again = store.present(&at, b"1", LIFETIME, Some(lease.clone())).await.unwrap();
    assert_ne!(again, lease);
    assert!(matches!(next(&mut watch).await, Change::Put(entry) if entry.value == b"1"));
}

async fn a_lease_that_is_given_back_is_over_at_once(store: impl Store) {
    let at = key("sites/london/l-1");
    let (_, mut watch) = store.watch(&key("sites")).await.unwrap();
    // Far longer than anybody waits here.
    let lease = store.present(&at, b"0", 100 * PATIENCE, None).await.unwrap();
    let other = store.present(&key("sites/paris/p-1"), b"0", 100 * PATIENCE, None).await.unwrap();
    store.give_back(lease.clone()).await.unwrap();
    for _ in 0..2 {
        assert!(matches!(next(&mut watch).await, Change::Put(_)));
    }
    assert_eq!(next(&mut watch).await, Change::Gone(at.clone()));
    assert_eq!(store.read(&at).await.unwrap().entry, None);
    let again = store.present(&at, b"0", LIFETIME, Some(lease)).await.unwrap();
    assert!(
        again != other && store.read(&at).await.unwrap().entry.is_some(),
        "a late renewal is a new lease"
    );
    assert!(store.read(&key("sites/paris/p-1")).await.unwrap().entry.is_some(), "only its own key is gone");
}
