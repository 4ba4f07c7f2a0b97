//! Numbers of fixed size, as record data has them: in network order.

/// A number of fixed size.
pub(super) trait Number: std::str::FromStr {
    fn append(self, out: &mut Vec<u8>);
}

macro_rules! numbers {
    ($($number:ty),+) => {$(
        impl Number for $number {
            fn append(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
        }
    )+};
}

numbers!(u8, u16, u32);
