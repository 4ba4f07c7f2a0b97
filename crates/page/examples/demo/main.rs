//! An invented world and an invented site that feed the page, to work on the page without a lab:
//!
//! ```text
//! cargo run -p page --example demo                     # a world: http://127.0.0.1:8053
//! cargo run -p page --example demo -- 127.0.0.1:8054 site
//! ```
//!
//! Nothing here is measured: routes are shortest paths over a dozen invented cables, and round trips are twice their
//! delay with a little noise. A power cut in London, a cut cable and a silent one come and go by themselves, unless a
//! button was pressed.

mod atlas;
mod site;
mod world;

use api::{Live, PictureKind};
use page::{Feed, serve};
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use terms::WallTime;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

/// How often samples are drawn and sent.
const STEP: Duration = Duration::from_millis(50);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8053".to_owned());
    let kind = if arguments.next().is_some() { PictureKind::Daemon } else { PictureKind::Lab };
    let listener = TcpListener::bind(&address).await?;
    println!("http://{}", listener.local_addr()?);

    let started = WallTime(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64);
    let (live, _) = broadcast::channel(64);
    match kind {
        PictureKind::Lab => show_world(listener, live, started).await,
        PictureKind::Daemon => show_site(listener, live, started).await,
    }
}

async fn show_world(
    listener: TcpListener,
    live: broadcast::Sender<Live>,
    started: WallTime,
) -> Result<(), Box<dyn Error>> {
    let mut world = world::World::new(started)?;
    let (show, picture) = watch::channel(Arc::new(world.picture()));
    let (commands, mut orders) = mpsc::channel::<page::Order>(8);
    let feed = Feed { picture, live: live.clone(), commands: Some(commands), more: axum::Router::new() };
    let clock = Instant::now();
    let feeding = async {
        let mut ticks = ticks();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                Some(order) = orders.recv() => {
                    let answer = world.carry_out(&order.command);
                    // Whoever asked may be gone.
                    let _ = order.answer.send(answer);
                }
            }
            let samples = world.step(clock.elapsed().as_millis() as u64);
            send(&live, Live::Samples(samples));
            world.take_events().into_iter().for_each(|event| send(&live, Live::Event(event)));
            if world.changed() {
                show.send_replace(Arc::new(world.picture()));
            }
        }
    };
    tokio::select! {
        never = serve(listener, feed) => match never? {},
        () = feeding => Ok(()),
    }
}

async fn show_site(
    listener: TcpListener,
    live: broadcast::Sender<Live>,
    started: WallTime,
) -> Result<(), Box<dyn Error>> {
    let mut site = site::InventedSite::new(started);
    let (show, picture) = watch::channel(Arc::new(site.picture()?));
    let feed = Feed { picture, live: live.clone(), commands: None, more: axum::Router::new() };
    let clock = Instant::now();
    let feeding = async {
        let mut ticks = ticks();
        loop {
            ticks.tick().await;
            let (samples, events) = site.step(clock.elapsed().as_millis() as u64);
            send(&live, Live::Samples(samples));
            events.into_iter().for_each(|event| send(&live, Live::Event(event)));
            show.send_replace(Arc::new(site.picture()?));
        }
    };
    tokio::select! {
        never = serve(listener, feed) => match never? {},
        result = feeding => result,
    }
}

fn ticks() -> tokio::time::Interval {
    let mut ticks = interval(STEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

fn send(live: &broadcast::Sender<Live>, message: Live) {
    // Before the page listens nobody is told.
    let _ = live.send(message);
}
