//! The encodings of a PEM text that are read like PEM: a byte order mark, UTF-16, and base64 around the whole text.
//!
//! `openssl` skips the byte order mark too, since 3.0. PowerShell and Microsoft Exchange write UTF-16; a value of a Kubernetes
//! Secret is the base64 of its PEM.

use zeroize::Zeroizing;

use super::pem;

const UTF8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// Returns the text of a file without its encoding. What is not such a text is returned as it is.
pub fn decoded(content: Vec<u8>) -> Vec<u8> {
    if let Some(rest) = content.strip_prefix(UTF8_MARK) {
        return rest.to_vec();
    }
    match content.first() {
        // UTF-16 with its mark, or the first letter of a text with a zero byte beside it.
        Some(0xff | 0xfe | 0x00) => utf16(content),
        Some(_) if content.get(1) == Some(&0) => utf16(content),
        // "-----BEGIN " in base64.
        Some(b'L') if content.starts_with(b"LS0tLS1CRUdJTi") => base64_of_pem(content),
        _ => content,
    }
}

/// Decodes UTF-16 when the result is PEM.
fn utf16(content: Vec<u8>) -> Vec<u8> {
    let big = match content.as_slice() {
        [0xfe, 0xff, ..] | [0, ..] => true,
        [0xff, 0xfe, ..] | [_, 0, ..] => false,
        _ => return content,
    };
    let unit = |pair: &[u8]| match *pair {
        [a, b] if big => u16::from_be_bytes([a, b]),
        [a, b] => u16::from_le_bytes([a, b]),
        // A byte that is left over is not text: it becomes a character that no PEM has.
        _ => 0xfffd,
    };
    let content = Zeroizing::new(content);
    let text: Zeroizing<String> =
        Zeroizing::new(char::decode_utf16(content.chunks(2).map(unit)).map(|c| c.unwrap_or('\u{fffd}')).collect());
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if pem::is_pem(text.as_bytes()) { text.as_bytes().to_vec() } else { content.to_vec() }
}

/// Decodes base64 when the result is PEM.
fn base64_of_pem(content: Vec<u8>) -> Vec<u8> {
    let content = Zeroizing::new(content);
    match pem::decode_base64(&content) {
        Some(text) if pem::is_pem(&text) => text.to_vec(),
        _ => content.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem_text() -> String {
        format!("issuer=\u{e9}\r\n{}", pem::certificate(&[1; 90]))
    }

    fn units(text: &str, encode: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(encode).collect()
    }

    #[test]
    fn every_encoding_of_a_pem_text_is_read_as_the_text() {
        let text = pem_text();
        let marked = format!("\u{feff}{text}");
        for encoded in [
            text.clone().into_bytes(),
            marked.clone().into_bytes(),
            units(&text, u16::to_le_bytes),
            units(&text, u16::to_be_bytes),
            units(&marked, u16::to_le_bytes),
            units(&marked, u16::to_be_bytes),
        ] {
            assert_eq!(decoded(encoded), text.as_bytes());
        }
    }

    #[test]
    fn base64_of_a_pem_text_is_read_with_and_without_line_breaks() {
        let text = pem::certificate(&[1; 90]);
        let block = pem::encode("X", text.as_bytes());
        let lines: Vec<_> = block.lines().filter(|line| !line.starts_with('-')).collect();
        for encoded in [lines.concat(), lines.join("\n"), lines.join("\r\n") + "\n"] {
            assert_eq!(decoded(encoded.into_bytes()), text.as_bytes());
        }
    }

    #[test]
    fn what_is_not_pem_below_its_encoding_stays_as_it_is() {
        let base64_of_other = b"LS0tLS1CRUdJTi!".to_vec();
        for content in [
            Vec::new(),
            vec![0],
            vec![0xff, 0xfe],
            vec![0x30, 0],
            vec![0x30, 0x82, 1, 2],
            units("hello", u16::to_le_bytes),
            units("hello", u16::to_be_bytes),
            base64_of_other,
        ] {
            assert_eq!(decoded(content.clone()), content);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(noise in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)) {
            drop(decoded(noise));
        }
    }
}
