//! What must hold for any octets: the bodies of the fuzz targets, run by the property tests and over the corpora too.

#[path = "../../src/dns/tap/frames.rs"]
mod frames;

/// Octets as the control frame with which a reader of dnstap answers.
pub(crate) fn dnstap_control(payload: &[u8]) {
    let offered = &frames::control(frames::Control::Ready)[20..];
    if frames::accepts(payload) {
        let (kind, fields) = payload.split_first_chunk::<4>().expect("a frame without a kind");
        assert_eq!(*kind, [0, 0, 0, frames::Control::Accept as u8]);
        let names_it = fields.windows(offered.len()).any(|field| field == offered);
        assert!(fields.is_empty() || names_it, "the reader takes something else");
    }
    // What follows a field that names the content, and cannot be read, changes nothing.
    let accept = &frames::control(frames::Control::Accept)[8..];
    assert!(frames::accepts(&[accept, payload].concat()));
    assert!(frames::control(frames::Control::Start).len() <= 8 + frames::LONGEST_CONTROL as usize);
}
