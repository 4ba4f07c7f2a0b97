//! What a running lab serves: its page on TCP, its control socket on a Unix socket.

use crate::control::{self, Control};
use crate::observer;
use crate::replay::Pictures;
use crate::running::Lab;
use api::{Live, Picture, PictureKind};
use page::{Feed, Order, Page};
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, broadcast, mpsc, watch};

/// Messages that the page may be behind before it loses some.
const LIVE_BACKLOG: usize = 64;
/// Commands that wait for their turn.
const ORDERS: usize = 8;

/// Serves until `stop` is told or the duration is over. Pictures are kept where somebody wants them.
pub(crate) fn serve(
    lab: Arc<Lab>,
    page: TcpListener,
    control: UnixListener,
    stop: Arc<Notify>,
    duration: Option<Duration>,
    kept: Option<Arc<Mutex<Pictures>>>,
) -> io::Result<()> {
    let (picture, pictures) = watch::channel(Arc::new(Picture::empty(
        PictureKind::Lab,
        lab.world.name.clone(),
        crate::clock::wall(),
    )));
    let (live, _) = broadcast::channel::<Live>(LIVE_BACKLOG);
    let (orders, taken) = mpsc::channel(ORDERS);
    observer::watch(Arc::clone(&lab), picture, live.clone(), kept).map_err(io::Error::from)?;
    let control_routes = control::routes(Control {
        lab: Arc::clone(&lab),
        stop: Arc::clone(&stop),
        picture: pictures.clone(),
    });
    let more = control::read_only(Control {
        lab: Arc::clone(&lab),
        stop: Arc::clone(&stop),
        picture: pictures.clone(),
    });
    let feed = Feed { picture: pictures, live, commands: Some(orders), more };
    let shown = Page::of(feed)?;
    // Whoever may use the control socket sees what the page shows: the terminal view reads it there.
    let control_routes = control_routes.merge(shown.live());
    page.set_nonblocking(true)?;
    control.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let page = tokio::net::TcpListener::from_std(page)?;
        let control = tokio::net::UnixListener::from_std(control)?;
        tokio::spawn(carry_out(lab, taken));
        let over = async {
            match duration {
                Some(duration) => tokio::time::sleep(duration).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            never = shown.serve(page) => match never {},
            served = async { axum::serve(control, control_routes).await } => served,
            () = stop.notified() => Ok(()),
            () = over => Ok(()),
        }
    })
}

/// Carries out what the buttons of the page ask for, one after the other.
async fn carry_out(lab: Arc<Lab>, mut orders: mpsc::Receiver<Order>) {
    while let Some(Order { command, answer }) = orders.recv().await {
        let lab = Arc::clone(&lab);
        let done = tokio::task::spawn_blocking(move || lab.order(&command)).await;
        if let Ok(done) = done {
            // Who asked may have gone away.
            let _ = answer.send(done);
        }
    }
}
