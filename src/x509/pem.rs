//! PEM (RFC 7468): DER as text. The only module that uses the `pem` library.

use zeroize::Zeroizing;

use super::plain_pem;

/// The label of a CRL (RFC 7468 §6).
pub const CRL_LABEL: &str = "X509 CRL";

/// One PEM block: its label, its headers (only old encrypted keys have any), its content.
pub struct Block {
    /// `CERTIFICATE`, `PRIVATE KEY` …
    pub label: String,
    /// `Proc-Type`, `DEK-Info`.
    pub headers: Vec<(String, String)>,
    /// The decoded content; it is wiped, because it may be a key.
    pub content: Zeroizing<Vec<u8>>,
}

/// Why a text cannot be read as PEM.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    #[error("block {0} of the PEM text is damaged or cut off (its BEGIN and END lines or its base64 do not match)")]
    Damaged(usize),
    #[error(
        "block {0} of the PEM text does not begin at the start of a line: what precedes its BEGIN there, such as the END \
         of the block before it, needs its own line"
    )]
    MidLine(usize),
}

/// Returns whether the bytes look like PEM and not like DER: they have a BEGIN line.
pub fn is_pem(data: &[u8]) -> bool {
    begins(data).next().is_some()
}

/// Returns where BEGIN lines start, and what looks like them in the middle of a line.
fn begins(data: &[u8]) -> impl Iterator<Item = usize> {
    let mut from = 0;
    std::iter::from_fn(move || {
        while let Some(dash) = data.get(from..)?.iter().position(|byte| *byte == BEGIN[0]) {
            let at = from + dash;
            from = at + 1;
            if data[at..].starts_with(BEGIN) {
                return Some(at);
            }
        }
        None
    })
}

const BEGIN: &[u8] = b"-----BEGIN ";

/// Returns where the first BEGIN is, in whatever place of its line.
pub fn first_begin(data: &[u8]) -> Option<usize> {
    begins(data).next()
}

/// Returns the labels of the BEGIN lines in their order, without decoding what is below them.
pub fn labels(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    begins(data).filter_map(|at| {
        let rest = &data[at + BEGIN.len()..];
        let end = rest.iter().position(|byte| matches!(byte, b'-' | b'\n' | b'\r'))?;
        Some(&rest[..end])
    })
}

/// Decodes base64 (RFC 4648 §4); white space is skipped. Returns `None` for other text.
pub fn decode_base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let digits = Zeroizing::new(text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<_>>());
    let framed = Zeroizing::new([b"-----BEGIN X-----\n", &digits[..], b"\n-----END X-----\n"].concat());
    pem::parse(&*framed).ok().map(|parsed| Zeroizing::new(parsed.into_contents()))
}

/// Returns all blocks in their order; text between them is skipped, as RFC 7468 §2 allows.
///
/// # Errors
/// When the block after a BEGIN cannot be read. A block that is cut off, or begins in the middle of a line, is an error and
/// is never skipped.
pub fn parse_all(data: &[u8]) -> Result<Vec<Block>, PemError> {
    parse_each(data).collect()
}

/// Returns each block as [`parse_all`] does, or why it cannot be read.
pub fn parse_each(data: &[u8]) -> impl Iterator<Item = Result<Block, PemError>> {
    let starts: Vec<usize> = begins(data).collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([data.len()]).collect();
    starts.into_iter().zip(ends).enumerate().map(|(index, (start, end))| {
        // Other programs skip a BEGIN in the middle of a line, and take the next block for the first.
        if !matches!(start.checked_sub(1).map(|before| data[before]), None | Some(b'\n' | b'\r')) {
            return Err(PemError::MidLine(index + 1));
        }
        if let Some((label, content)) = plain_pem::read(&data[start..end]) {
            return Ok(Block { label: label.to_owned(), headers: Vec::new(), content });
        }
        let parsed = pem::parse(&data[start..end]).map_err(|_| PemError::Damaged(index + 1))?;
        Ok(Block {
            label: parsed.tag().to_owned(),
            headers: parsed.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            content: Zeroizing::new(parsed.into_contents()),
        })
    })
}

/// The DER values of one kind in a file.
pub struct DerValues {
    pub ders: Vec<Vec<u8>>,
    /// Whether they were in PEM blocks, whose labels say what they are meant to be.
    pub is_pem: bool,
}

/// Returns what `take` takes out of the blocks of a PEM text. Without PEM, the whole content is one DER value; an empty file
/// has none.
///
/// # Errors
/// As [`parse_all`].
pub fn values(content: Vec<u8>, mut take: impl FnMut(&mut Block) -> Option<Vec<u8>>) -> Result<DerValues, PemError> {
    if !is_pem(&content) {
        let ders = if content.is_empty() { Vec::new() } else { vec![content] };
        return Ok(DerValues { ders, is_pem: false });
    }
    let mut blocks = parse_all(&content)?;
    Ok(DerValues { ders: blocks.iter_mut().filter_map(&mut take).collect(), is_pem: true })
}

/// Returns the CRLs of a file (RFC 7468 §6), as [`values`].
///
/// # Errors
/// As [`parse_all`].
pub fn crls(content: Vec<u8>) -> Result<DerValues, PemError> {
    values(content, |block| is_crl(&block.label).then(|| std::mem::take(&mut *block.content)))
}

/// Returns whether a label is that of a CRL: the label of RFC 7468 §6, or that of cryptlib.
pub fn is_crl(label: &str) -> bool {
    matches!(label, CRL_LABEL | "CERTIFICATE REVOCATION LIST")
}

/// Encodes one block: 64 characters a line, with a newline at the end.
pub fn encode(label: &str, der: &[u8]) -> String {
    if der.len() <= PART {
        return framed(label, der);
    }
    let mut text = String::with_capacity(der.len() / 48 * 65 + 2 * (label.len() + 32));
    text.push_str(&begin(label));
    each_body(der, |body| {
        text.push_str(body);
        true
    });
    text.push_str(&end(label));
    text
}

/// Returns whether a text is what [`encode`] makes of this value. Long values are compared in parts, which takes no memory.
pub fn is_encoded(text: &[u8], label: &str, der: &[u8]) -> bool {
    let Some(mut rest) = text.strip_prefix(begin(label).as_bytes()) else { return false };
    let is_same = each_body(der, |body| match rest.strip_prefix(body.as_bytes()) {
        Some(after) => {
            rest = after;
            true
        }
        None => false,
    });
    is_same && rest == end(label).as_bytes()
}

/// As many bytes as whole lines have: 48 of them make a line of 64 characters.
const PART: usize = 48 * 1024;

/// Calls `each` with the lines of each part, until it returns false; returns whether it never did.
fn each_body(der: &[u8], mut each: impl FnMut(&str) -> bool) -> bool {
    let (begin, end) = (begin("X"), end("X"));
    der.chunks(PART).all(|part| {
        let framed = framed("X", part);
        framed.strip_prefix(&begin).and_then(|rest| rest.strip_suffix(&end)).is_some_and(&mut each)
    })
}

fn begin(label: &str) -> String {
    format!("-----BEGIN {label}-----\n")
}

fn end(label: &str) -> String {
    format!("-----END {label}-----\n")
}

fn framed(label: &str, der: &[u8]) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new(label, der), config)
}

/// Encodes base64 (RFC 4648 §4) in one line, without the frame of PEM.
pub fn encode_base64(data: &[u8]) -> Zeroizing<String> {
    let framed = Zeroizing::new(encode("X", data));
    // The capacity of the framed text is enough, so that the string is never moved and leaves no copy behind.
    let mut line = Zeroizing::new(String::with_capacity(framed.len()));
    framed.lines().filter(|part| !part.starts_with('-')).for_each(|part| line.push_str(part));
    line
}

/// Encodes a certificate.
pub fn certificate(der: &[u8]) -> String {
    encode("CERTIFICATE", der)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_encoded_as_in_one_piece_and_a_text_is_compared_with_it() {
        for length in [0, 1, 47, 48, 49, PART - 1, PART, PART + 1, 3 * PART, 3 * PART + 100] {
            let der: Vec<u8> = (0..length).map(|number| (number % 251) as u8).collect();
            let text = framed("X509 CRL", &der);
            assert_eq!(encode("X509 CRL", &der), text, "{length}");
            assert!(is_encoded(text.as_bytes(), "X509 CRL", &der), "{length}");
            assert!(!is_encoded(text.as_bytes(), "CERTIFICATE", &der));
            assert!(!is_encoded(text.trim_end().as_bytes(), "X509 CRL", &der));
            for place in (0..text.len()).step_by(text.len() / 7 + 1) {
                let mut other = text.clone().into_bytes();
                other[place] ^= 1;
                assert!(!is_encoded(&other, "X509 CRL", &der), "{length} {place}");
            }
            assert!(!is_encoded(text.as_bytes(), "X509 CRL", &[&der[..], &[7]].concat()), "{length}");
            assert!(length == 0 || !is_encoded(text.as_bytes(), "X509 CRL", &der[1..]));
        }
    }

    #[test]
    fn blocks_are_found_between_other_text() {
        let text = format!("# web\n{}subject=x\n{}", certificate(&[1, 2]), encode("X509 CRL", &[3]));
        let blocks = parse_all(text.as_bytes()).unwrap();
        let found: Vec<_> = blocks.iter().map(|block| (block.label.as_str(), block.content.as_slice())).collect();
        assert_eq!(found, [("CERTIFICATE", &[1, 2][..]), ("X509 CRL", &[3])]);
    }

    #[test]
    fn the_values_of_a_kind_are_those_under_its_label_or_the_whole_file() {
        let text = format!("{}{}", certificate(&[1, 2]), encode("X509 CRL", &[3]));
        let of = |content: &[u8]| {
            let values = crls(content.to_vec()).unwrap();
            (values.ders, values.is_pem)
        };
        assert_eq!(of(text.as_bytes()), (vec![vec![3]], true));
        assert_eq!(of(&[0x30, 0]), (vec![vec![0x30, 0]], false));
        assert_eq!(of(&[]), (vec![], false));
    }

    #[test]
    fn a_block_that_is_cut_off_is_an_error_and_named() {
        let whole = certificate(&[7; 100]);
        let cut = format!("{whole}{}", &whole[..whole.len() / 2]);
        assert_eq!(parse_all(cut.as_bytes()).err(), Some(PemError::Damaged(2)));
        let joined = format!("{}{whole}", &whole[..whole.len() / 2]);
        assert_eq!(parse_all(joined.as_bytes()).err(), Some(PemError::Damaged(1)));
    }

    #[test]
    fn a_block_that_begins_in_the_middle_of_a_line_is_not_passed_over() {
        let whole = certificate(&[7; 100]);
        for before in ["> ", "\u{feff}", " "] {
            let text = format!("{before}{whole}{whole}");
            assert_eq!(parse_all(text.as_bytes()).err(), Some(PemError::MidLine(1)), "{before}");
        }
        // Two files, of which the first has no newline at its end.
        let joined = format!("{}{whole}", whole.trim_end());
        assert_eq!(parse_all(joined.as_bytes()).err(), Some(PemError::MidLine(2)));
        assert_eq!(parse_all(format!("{}\r{whole}", whole.trim_end()).as_bytes()).unwrap().len(), 2);
    }

    #[test]
    fn base64_is_one_line_that_can_be_decoded() {
        let line = encode_base64(&[7; 100]);
        assert!(line.len() == 136 && !line.contains('\n'), "{}", *line);
        assert_eq!(*decode_base64(line.as_bytes()).unwrap(), [7; 100]);
        assert_eq!(*encode_base64(&[]), "");
    }

    #[test]
    fn what_programs_write_is_read_without_the_library() {
        for length in [0, 1, 2, 3, 47, 48, 49, 95, 96, 97, 1000] {
            let content: Vec<u8> = (0..length).map(|at: usize| (at * 7 + length) as u8).collect();
            let text = certificate(&content);
            assert_eq!(
                plain_pem::read(text.as_bytes()),
                Some(("CERTIFICATE", Zeroizing::new(content.clone()))),
                "{length}"
            );
            assert_eq!(
                plain_pem::read(text.trim_end().as_bytes()),
                Some(("CERTIFICATE", Zeroizing::new(content))),
                "{length}"
            );
        }
        let text = certificate(&[7; 49]);
        let others = [
            text.replace('\n', "\r\n"),
            text.replace("-----END CERT", "-----END X509 CERT"),
            text.replacen("\n", "\nDEK-Info: x\n\n", 1),
            text.replace("Bw==", "Bx=="),
            text.replace("Bw==", "Bw="),
            text.replacen("BwcH", "Bw==", 1),
            text.replacen("BwcH", "Bwc", 1),
            text.replacen("\n", "\n\n", 1),
            text.replace("-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE -----"),
        ];
        for other in others {
            assert_eq!(plain_pem::read(other.as_bytes()), None, "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_read_without_the_library_is_what_the_library_reads(
            text in "-----BEGIN [A-Z ]{0,3}-----\n([A-Za-z0-9+/]{64}\n){0,2}[A-D+/=]{0,9}[ \n\r=:]{0,2}\n?-----END [A-Z ]{0,3}-----\n?[a-z-]{0,3}",
        ) {
            for text in [text.clone(), text.replace("-----BEGIN ", "-----BEGIN X").replace("-----END ", "-----END X")] {
                if let Some((label, content)) = plain_pem::read(text.as_bytes()) {
                    let parsed = pem::parse(&text).unwrap();
                    assert_eq!((parsed.tag(), parsed.contents()), (label, &content[..]), "{text}");
                    assert_eq!(parsed.headers().iter().count(), 0, "{text}");
                }
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(noise in "\\PC{0,60}|(-----BEGIN [A-Z ]{0,12}-----\n[A-Za-z0-9+/=\n]{0,40}(-----END [A-Z ]{0,12}-----\n)?){0,3}") {
            drop(parse_all(noise.as_bytes()));
        }
    }
}
