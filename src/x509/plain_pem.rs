//! A PEM block as programs write it: lines of 64 digits, no headers (RFC 7468 §2, §3). Every other form is read by the library of
//! [`super::pem`], which takes ten times as long: reading the text was a tenth of the time of verifying many files.

use zeroize::Zeroizing;

/// Reads the block that `data` begins with, and returns its label and its content; `None` when it has another form, which the
/// library may read.
pub(super) fn read(data: &[u8]) -> Option<(&str, Zeroizing<Vec<u8>>)> {
    let (first, mut rest) = line(data)?;
    let label = first.strip_prefix(b"-----BEGIN ")?.strip_suffix(b"-----")?;
    let is_plain = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ';
    if label.is_empty() || label.trim_ascii() != label || !label.iter().all(is_plain) {
        return None;
    }
    // Enough for the whole block, so that the content of a private key is never moved and leaves no copy behind. It is wiped when the
    // block turns out to have another form, too.
    let digits = rest.iter().position(|byte| *byte == b'-')?;
    let mut content = Zeroizing::new(Vec::with_capacity(digits / 4 * 3));
    let mut is_last = false;
    loop {
        let (text, after) = line(rest)?;
        if let Some(end) = text.strip_prefix(b"-----END ") {
            return Some((std::str::from_utf8(label).ok()?, content))
                .filter(|_| end.strip_suffix(b"-----") == Some(label));
        }
        if is_last {
            return None;
        }
        decode(text, &mut content)?;
        is_last = text.len() != LINE || text.ends_with(b"=");
        rest = after;
    }
}

/// The digits of every line but the last (RFC 7468 §2).
const LINE: usize = 64;

/// Splits off the first line; `None` at the end.
fn line(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    Some((&data[..end], data.get(end + 1..).unwrap_or_default())).filter(|_| !data.is_empty())
}

/// Decodes a line of base64 (RFC 4648 §4), with the padding and the zero bits that an encoder writes.
fn decode(text: &[u8], content: &mut Vec<u8>) -> Option<()> {
    let (quads, []) = text.as_chunks::<4>() else { return None };
    let (last, quads) = quads.split_last()?;
    let begin = content.len();
    content.resize(begin + 3 * quads.len(), 0);
    let (decoded, _) = content[begin..].as_chunks_mut::<3>();
    for (quad, decoded) in quads.iter().zip(decoded) {
        *decoded = bytes(*quad)?;
    }
    match *last {
        [a, b, b'=', b'='] => content.extend(bytes([a, b, b'A', b'A']).filter(|bytes| bytes[1] == 0)?.first()),
        [a, b, c, b'='] => content.extend(bytes([a, b, c, b'A']).filter(|bytes| bytes[2] == 0)?.get(..2)?),
        quad => content.extend(bytes(quad)?),
    }
    Some(())
}

/// Returns the three bytes of four digits.
fn bytes(quad: [u8; 4]) -> Option<[u8; 3]> {
    let [a, b, c, d] = quad.map(|digit| VALUES[usize::from(digit)]);
    // The value of a digit has six bits.
    ((a | b | c | d) & 0xc0 == 0).then_some([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d])
}

const NOT_A_DIGIT: u8 = 0xff;

/// The value of each digit.
const VALUES: [u8; 256] = {
    let mut values = [NOT_A_DIGIT; 256];
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut value = 0;
    while value < digits.len() {
        values[digits[value] as usize] = value as u8;
        value += 1;
    }
    values
};
