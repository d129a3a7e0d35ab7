//! Events: whatever decodes is an event whose one encoding these bytes are.

use arbitrary::{Result, Unstructured};
use ledger::codec;

use crate::mutate::mutate;
use crate::samples;

/// Decodes a changed record, or bytes that never were one.
///
/// # Panics
/// If decoding panics, or answers something that is not what the bytes say.
pub fn event(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let bytes =
        if data.len().is_multiple_of(8) { data.to_vec() } else { changed(&mut input).expect("an input") };
    let _ = codec::first_record(&bytes);
    let reference = codec::reference_of(&bytes).map(|text| text.map(str::to_owned));
    let mut claims = Vec::new();
    let claimed = codec::claims_of(&bytes, |digest, claimed| claims.push((digest, claimed.to_value())));
    let Ok(event) = codec::decode(&bytes) else { return };

    let mut again = Vec::new();
    codec::encode(&event, &mut again);
    let body = bytes.len() - codec::TRAILER;
    assert_eq!(again.len(), bytes.len(), "one length for {event:?}");
    assert!(again[..body] == bytes[..body], "one encoding for {event:?}");
    assert_eq!(codec::decode(&again).as_ref(), Ok(&event));
    assert_eq!(codec::first_record(&bytes), Some(&bytes[..]));
    assert_eq!(reference, Ok(event.reference().map(str::to_owned)), "the short way to the reference");
    let mut expected = Vec::new();
    event.claims(|digest, claimed| expected.push((digest, claimed.to_value())));
    assert_eq!((claimed, claims), (Ok(()), expected), "the short way to the claims");
}

fn changed(input: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut bytes = input.choose(samples::records())?.clone();
    mutate(input, &mut bytes)?;
    Ok(bytes)
}
