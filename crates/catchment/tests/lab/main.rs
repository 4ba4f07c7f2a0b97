//! A world comes up, is used, and goes away without a trace, however it ends and whoever started it. Needs root, BIRD,
//! FRR, NSD, curl, dig, nginx, sshd and iperf3.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod drained;
mod faults;
mod judged;
mod killed;
mod life;
mod moved;
mod program;
mod rootless;
mod screen;
mod stage;
