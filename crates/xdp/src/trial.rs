//! Trials: the kernel runs a program over a frame that nobody has sent (`BPF_PROG_TEST_RUN`). For tests and measurements.

use crate::load::missing;
use crate::{Continuity, Error};
use aya::programs::{SchedClassifier, TestRun, TestRunOptions, Xdp};
use std::time::Duration;

/// The programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// For what arrives with an Ethernet header.
    ArriveEthernet,
    /// For what arrives without one.
    ArriveIp,
    /// For what leaves with an Ethernet header.
    ClampEthernet,
}

/// What a program has made of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Its answer: a number that `linux/bpf.h` or `linux/pkt_cls.h` names.
    pub answer: u32,
    /// The frame then.
    pub frame: Vec<u8>,
    /// How long one run took, by the kernel's own watch.
    pub duration: Duration,
}

impl Continuity {
    /// Runs a program over a frame of 14 octets or more. One that is run again gets what it made of the frame before.
    pub fn trial(&self, program: Program, frame: &[u8], repeat: u32) -> Result<Trial, Error> {
        let name = match program {
            Program::ArriveEthernet => "arrive_ethernet",
            Program::ArriveIp => "arrive_ip",
            Program::ClampEthernet => "clamp_ethernet",
        };
        let loaded = self.ebpf.program(name).ok_or_else(|| missing(name))?;
        let mut out = vec![0; frame.len() + 256];
        let options = TestRunOptions {
            data_in: Some(frame),
            data_out: Some(&mut out),
            repeat,
            ..TestRunOptions::new()
        };
        let unfit = |error| Error::of_program(name, &error);
        let result = match program {
            Program::ArriveEthernet | Program::ArriveIp => {
                <&Xdp>::try_from(loaded).map_err(unfit)?.test_run(options)
            }
            Program::ClampEthernet => <&SchedClassifier>::try_from(loaded).map_err(unfit)?.test_run(options),
        };
        let result = result.map_err(unfit)?;
        out.truncate(result.data_size_out as usize);
        Ok(Trial { answer: result.return_value, frame: out, duration: result.duration })
    }
}
