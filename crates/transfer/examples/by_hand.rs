//! A zone goes from one server to another, without a socket: `cargo run -p transfer --example by_hand`.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use terms::{DomainName, Record, RecordType, SharedKey, Timestamp, WallTime};
use transfer::{
    Algorithm, Client, Conversation, Held, Input, Key, Policy, Progress, Question, Reader, Request,
    Secondary, Writer,
};

fn main() -> Result<(), Box<dyn Error>> {
    let zone: DomainName = "example.".parse()?;
    let key = Arc::new(Key::new("key.".parse()?, Algorithm::HmacSha256, SharedKey::new("swordfish")?));
    let now = WallTime(1_800_000_000_000);

    // The secondary: it has nothing, and it is time to ask.
    let mut machine = Secondary::new(1, Held::Nothing, Timestamp::ZERO);
    machine.handle(Input::Timer, Timestamp::ZERO);
    println!("secondary: {:?}", machine.poll_output());
    let mut query = Question::Whole.message(7, &zone);
    let mut client = Conversation::open(Arc::clone(&key), &mut query, now);

    // The primary: who asks, what for, and may they?
    let keys = BTreeMap::from([(key.name().clone(), Arc::clone(&key))]);
    let signed = Conversation::accept(&mut query, &keys, now).map_err(|rejection| rejection.why)?;
    let request = Request::of(&query)?;
    let policy = Policy { keys: vec![key.name().clone()], prefixes: Vec::new() };
    let asker = Client::new("192.0.2.7".parse()?, signed.as_ref());
    println!("primary: {:?}, allowed: {}", request.operation, policy.allows(asker));

    // The zone as messages, signed, and read.
    let soa: Vec<u8> = [&[0, 0][..], &[7, 3600, 900, 604_800, 300].map(u32::to_be_bytes).concat()].concat();
    let record = |kind, data: &[u8]| Record { owner: zone.clone(), kind, ttl: 3600, data: data.into() };
    let records = [
        record(RecordType::SOA, &soa),
        record(RecordType::A, &[192, 0, 2, 1]),
        record(RecordType::SOA, &soa),
    ];
    let mut server = signed.ok_or("it is signed")?;
    let mut reader = Reader::new(zone.clone(), 7, None, 1 << 20);
    for mut message in Writer::new(&query, request.id, request.zone, Vec::new(), records.into_iter()) {
        server.sign(&mut message, now);
        client.verify(&mut message, now)?;
        if let Progress::Whole(version) = reader.read(&message, |piece| println!("secondary: {piece:?}"))? {
            machine.handle(Input::Fetched(version), Timestamp::ZERO);
        }
    }
    client.close()?;
    println!("secondary: {:?}, {}", machine.held(), machine.state());
    Ok(())
}
