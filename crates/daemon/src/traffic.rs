//! How many users still have a connection here: the established TCP connections at the service addresses, counted
//! once a second and only while a group is being drained.
//!
//! The kernel's tables are read as text, which takes a while on a busy host: so not where decisions are made. What is
//! read is bounded; more connections than that are too many to be drained, and are told as such.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;
use tokio::sync::watch;

/// The addresses whose connections matter now.
pub(crate) type Counted = BTreeSet<IpAddr>;

/// How many connections are open at each of them.
pub(crate) type Connections = BTreeMap<IpAddr, u32>;

/// From one count to the next.
const EVERY: Duration = Duration::from_secs(1);

/// The kernel's tables of TCP connections, of this network namespace.
const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// Most octets that are read of one table: more than 200,000 connections.
const LIMIT: u64 = 32 << 20;

/// `ESTABLISHED` as the kernel writes it.
const ESTABLISHED: &str = "01";

/// Counts for as long as anybody wants to know, whenever there is something to be counted.
pub(crate) async fn count(mut counted: watch::Receiver<Counted>, connections: watch::Sender<Connections>) {
    loop {
        // A count of another time or of other addresses is worth nothing.
        connections.send_replace(Connections::new());
        let addresses = counted.borrow_and_update().clone();
        while !addresses.is_empty() {
            let asked = addresses.clone();
            let found = tokio::task::spawn_blocking(move || of_kernel(&asked)).await;
            // A kernel that does not say leaves the time as the only measure.
            if let Ok(Ok(found)) = found {
                connections.send_replace(found);
            }
            match tokio::time::timeout(EVERY, counted.changed()).await {
                Ok(Ok(())) => break,
                Ok(Err(_)) => return,
                Err(_) => {}
            }
        }
        if addresses.is_empty() && counted.changed().await.is_err() {
            return;
        }
    }
}

fn of_kernel(addresses: &Counted) -> io::Result<Connections> {
    let mut connections: Connections = addresses.iter().map(|&address| (address, 0)).collect();
    for table in TABLES {
        match File::open(Path::new(table)) {
            Ok(file) => of_table(file, LIMIT, &mut connections)?,
            // A kernel without IPv6 has no such table.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(connections)
}

/// Adds up what one table says. A table that is longer than the limit makes every count as large as it can be.
fn of_table(table: impl Read, limit: u64, connections: &mut Connections) -> io::Result<()> {
    let mut lines = BufReader::new(table.take(limit));
    let (mut line, mut read) = (Vec::new(), 0);
    loop {
        line.clear();
        read += match lines.read_until(b'\n', &mut line)? {
            0 => break,
            octets => octets as u64,
        };
        let row = str::from_utf8(&line).ok();
        if let Some(count) = row.and_then(established_at).and_then(|address| connections.get_mut(&address)) {
            *count = count.saturating_add(1);
        }
    }
    if read >= limit {
        connections.values_mut().for_each(|count| *count = u32::MAX);
    }
    Ok(())
}

/// Our address of an established connection; none for any other row.
fn established_at(row: &str) -> Option<IpAddr> {
    let mut fields = row.split_ascii_whitespace().skip(1);
    let (local, _remote, state) = (fields.next()?, fields.next()?, fields.next()?);
    let (address, _port) = local.split_once(':')?;
    (state == ESTABLISHED).then(|| kernel_address(address))?
}

/// An address as the kernel writes it: 32 bits at a time, each as a number of this machine.
fn kernel_address(text: &str) -> Option<IpAddr> {
    let word = |at: usize| {
        let digits = text.get(8 * at..8 * (at + 1))?;
        // `from_str_radix` takes a sign, the kernel writes none.
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_hex.then(|| u32::from_str_radix(digits, 16).ok())?.map(u32::to_ne_bytes)
    };
    match text.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut octets = [0; 16];
            for (at, part) in octets.chunks_exact_mut(4).enumerate() {
                part.copy_from_slice(&word(at)?);
            }
            Some(IpAddr::from(Ipv6Addr::from(octets)).to_canonical())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n\
         0: 350012C6:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n\
         1: 350012C6:0035 0100000A:C000 01 00000000:00000000 00:00000000 00000000     0\n\
         2: 350012C6:0035 0100000A:C001 01 00000000:00000000 00:00000000 00000000     0\n\
         3: 350012C6:0035 0100000A:C002 06 00000000:00000000 00:00000000 00000000     0\n\
         4: 360012C6:0035 0100000A:C003 01 00000000:00000000 00:00000000 00000000     0\n";

    fn at(address: &str) -> Connections {
        Connections::from([(address.parse().unwrap(), 0)])
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn only_established_connections_of_the_address_count() {
        let mut connections = at("198.18.0.53");
        of_table(TABLE.as_bytes(), LIMIT, &mut connections).unwrap();
        assert_eq!(connections.values().copied().collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn more_than_can_be_read_is_too_many() {
        let mut connections = at("198.18.0.53");
        of_table(TABLE.as_bytes(), TABLE.len() as u64 - 1, &mut connections).unwrap();
        assert_eq!(connections.values().copied().collect::<Vec<_>>(), [u32::MAX]);
    }

    #[test]
    fn the_kernels_own_table_is_understood() {
        for listen in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(listen).unwrap();
            let here = listener.local_addr().unwrap();
            let counted = Counted::from([here.ip()]);
            let before = of_kernel(&counted).unwrap()[&here.ip()];
            let callers: Vec<TcpStream> = (0..50).map(|_| TcpStream::connect(here).unwrap()).collect();
            let accepted: Vec<_> = (0..50).map(|_| listener.accept().unwrap()).collect();
            // Others may come and go; a hundred ends of ours are there.
            assert!(of_kernel(&counted).unwrap()[&here.ip()] >= before.saturating_sub(40) + 60);
            drop((callers, accepted));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_table_makes_it_panic(table: Vec<u8>, row: String) {
            of_table(table.as_slice(), 100, &mut at("198.18.0.53")).unwrap();
            established_at(&row);
        }
    }

    #[tokio::test]
    async fn counting_begins_when_something_is_to_be_counted_and_ends_with_it() {
        let (want, counted) = watch::channel(Counted::new());
        let (tell, mut told) = watch::channel(Connections::new());
        let counting = tokio::spawn(count(counted, tell));
        want.send_replace(Counted::from(["192.0.2.1".parse().unwrap()]));
        told.wait_for(|connections| connections.values().eq([&0])).await.unwrap();
        want.send_replace(Counted::new());
        told.wait_for(Connections::is_empty).await.unwrap();
        drop(want);
        counting.await.unwrap();
    }
}
