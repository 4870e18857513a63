//! Every message of a session as a rung between the life lines of client and server, in whatever width there is.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::report::handshake::{milliseconds, wrap};
use crate::report::json;
use crate::report::page::{Page, Tone};
use crate::tls::message::{Body, Message};
use crate::tls::{Alert, Side};

/// The narrowest ladder that can be read; a narrower terminal breaks the lines itself.
const NARROWEST: usize = 70;
/// In a wider one the eye would lose the rung.
const WIDEST: usize = 120;

/// Where the facts of a message begin, by who sent it.
const INDENT_OF_CLIENT: usize = 2;
const INDENT_OF_SERVER: usize = 9;
/// The longest name of a fact, and a blank.
const LABEL: usize = 14;

/// The ladder of one exchange.
pub fn ladder(page: &mut Page, title: &str, messages: &[Message]) {
    let width = page.columns().clamp(NARROWEST, WIDEST);
    let inside = inside(width);
    page.gap();
    page.pieces(&[
        (Tone::Strong, &format!("{title}, message by message")),
        (Tone::Plain, "   ─── in the clear   "),
        (Tone::Good, "═══ encrypted"),
    ]);
    page.line(&format!("client{:>1$}", "server", width - 6));
    for message in messages {
        rung(page, message, inside);
        for (name, value) in message.facts() {
            fact(page, message.from, name, &value, inside);
        }
    }
}

/// A message of a session.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Message")]
pub struct MessageJson {
    /// As `sender`.
    #[schemars(extend("deprecated" = true))]
    from: &'static str,
    #[schemars(extend("enum" = ["client", "server"]))]
    sender: &'static str,
    /// Its name in the RFC.
    message: String,
    /// Without record and encryption, with the four of its header.
    bytes: usize,
    encrypted: bool,
    /// Microseconds since the beginning.
    at_us: u64,
    /// Its facts in a line.
    detail: String,
    facts: Vec<MessageFactJson>,
    /// They depend on the message.
    #[schemars(schema_with = "fields_schema")]
    fields: Value,
}

/// A fact of a message.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MessageFact")]
struct MessageFactJson {
    name: &'static str,
    value: String,
}

/// The fields of a message, or none.
fn fields_schema(generator: &mut SchemaGenerator) -> Schema {
    let of_body = generator.subschema_for::<Body>();
    json_schema!({ "anyOf": [of_body, { "type": "object", "maxProperties": 0 }] })
}

/// The messages in JSON.
pub fn messages_json(messages: &[Message]) -> Vec<MessageJson> {
    messages.iter().map(MessageJson::new).collect()
}

impl MessageJson {
    fn new(message: &Message) -> Self {
        let facts = message.facts();
        let detail: Vec<String> = facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        // A message that has only a name has no fields.
        let fields = json::value(&message.body);
        Self {
            from: message.from.name(),
            sender: message.from.name(),
            message: message.name().to_string(),
            bytes: message.bytes,
            encrypted: message.encrypted,
            at_us: u64::try_from(message.at.as_micros()).unwrap_or(u64::MAX),
            detail: detail.join("; "),
            facts: facts.into_iter().map(|(name, value)| MessageFactJson { name, value }).collect(),
            fields: if fields.is_object() { fields } else { Value::Object(Map::new()) },
        }
    }
}

/// The width between the two lines, which are below the third letter of `client` and the third last of `server`.
const fn inside(width: usize) -> usize {
    width - 6
}

/// `── ClientHello ─────────── 1410 bytes, 0.12 ms ─▶`, or the same the other way round.
fn rung(page: &mut Page, message: &Message, inside: usize) {
    let unit = if message.bytes == 1 { "byte" } else { "bytes" };
    let size = format!(" {} {unit}, {} ", message.bytes, milliseconds(message.at));
    let name = format!(" {} ", message.name());
    let line = if message.encrypted { "═" } else { "─" };
    let (before, after) = match message.from {
        Side::Client => (line.to_owned(), format!("{line}▶")),
        Side::Server => (format!("◀{}", line.repeat(INDENT_OF_SERVER - 2)), line.repeat(2)),
    };
    let used = [&before, &name, &size, &after].iter().map(|piece| piece.chars().count()).sum();
    let between = line.repeat(inside.saturating_sub(used));
    let tone = match (is_fatal(message), message.encrypted) {
        (true, _) => Tone::Bad,
        (false, true) => Tone::Good,
        (false, false) => Tone::Plain,
    };
    let name_tone = if is_fatal(message) { Tone::Bad } else { Tone::Strong };
    page.pieces(&[
        (Tone::Dim, "  │"),
        (tone, &before),
        (name_tone, &name),
        (tone, &between),
        (Tone::Plain, &size),
        (tone, &after),
        (Tone::Dim, "│"),
    ]);
}

fn fact(page: &mut Page, from: Side, name: &str, value: &str, inside: usize) {
    let indent = match from {
        Side::Client => INDENT_OF_CLIENT,
        Side::Server => INDENT_OF_SERVER,
    };
    let mut label = name;
    for line in wrap(value, inside - indent - LABEL - 1) {
        let label_shown = format!("{:indent$}{label:<LABEL$}", "");
        let line = format!("{line:<0$}", inside - indent - LABEL);
        page.pieces(&[(Tone::Dim, "  │"), (Tone::Dim, &label_shown), (Tone::Plain, &line), (Tone::Dim, "│")]);
        label = "";
    }
}

fn is_fatal(message: &Message) -> bool {
    matches!(&message.body, Body::Alert { description, .. } if *description != Alert::CLOSE_NOTIFY)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use time::macros::datetime;

    use serde_json::json;

    use super::*;
    use crate::report::relative::RelativePaths;
    use crate::report::style::Style;
    use crate::tls::message::{KeyShare, ShownCertificate};
    use crate::tls::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

    /// The rungs alone, without the head of the page.
    fn rungs(messages: &[Message], style: Style) -> String {
        let mut page = Page::new(style, RelativePaths::NONE);
        let inside = inside(page.columns().clamp(NARROWEST, WIDEST));
        for message in messages {
            rung(&mut page, message, inside);
            for (name, value) in message.facts() {
                fact(&mut page, message.from, name, &value, inside);
            }
        }
        page.into_string()
    }

    fn messages() -> Vec<Message> {
        let long = |count: usize| "x".repeat(count);
        let shown = ShownCertificate {
            subject: format!("CN={}", long(200)),
            names: (0..40).map(|number| format!("dns:host-{number}.corp.test")).collect(),
            issuer: "CN=Тест, O=日本".to_owned(),
            serial: long(40),
            not_before: Some(datetime!(2026-01-01 00:00 UTC)),
            not_after: Some(datetime!(2026-12-31 23:59:59 UTC)),
            key: "rsa-4096".to_owned(),
            signature: "sha256WithRSAEncryption".to_owned(),
            bytes: 65_535,
        };
        let key_share = KeyShare { group: NamedGroup(0x11ed), bytes: 1665 };
        let bodies = [
            Body::ServerHello {
                random: long(64),
                version: ProtocolVersion::TLS12,
                cipher_suite: CipherSuite(0xcca9),
                key_share: Some(key_share.clone()),
                protocol: Some(long(255)),
                resumes: true,
            },
            Body::Certificate { chain: vec![shown.clone(), shown] },
            Body::ServerKeyExchange { key_share, scheme: SignatureScheme(0x081a) },
            Body::Alert { fatal: true, description: Alert(113) },
            Body::Other { number: 255 },
            Body::Unreadable,
        ];
        let both = |body: &Body| {
            [Side::Client, Side::Server].map(|from| Message {
                from,
                body: body.clone(),
                bytes: 1_048_576,
                encrypted: from == Side::Server,
                at: Duration::from_millis(9_999),
            })
        };
        bodies.iter().flat_map(both).collect()
    }

    #[test]
    fn the_lines_of_both_sides_stand_upright_in_every_width() {
        for columns in [0, 60, 80, 98, 120, 300] {
            let width = columns.clamp(NARROWEST, WIDEST);
            let style = Style { columns, ..Style::PLAIN };
            for line in rungs(&messages(), style).lines() {
                let cells: Vec<char> = line.chars().collect();
                assert_eq!((cells.len(), cells[2], cells[width - 3]), (width - 2, '│', '│'), "{columns}: {line}");
            }
        }
    }

    #[test]
    fn the_fields_of_a_message_stand_in_json_under_their_names_and_a_silent_message_has_none() {
        let [hello, finished] = [messages().swap_remove(0).body, Body::Finished].map(|body| {
            let message = Message { from: Side::Server, body, bytes: 1, encrypted: false, at: Duration::ZERO };
            json::value(&messages_json(&[message]))[0]["fields"].clone()
        });
        assert_eq!(hello["key_share"], json!({ "group": "SecP384r1MLKEM1024", "bytes": 1665 }));
        assert_eq!((&hello["version"], &hello["resumes"]), (&json!("1.2"), &json!(true)));
        assert_eq!(finished, json!({}));
    }

    #[test]
    fn the_reference_lists_every_field_of_every_message() {
        let reference = include_str!("../../docs/reference/json.md");
        let others = [
            Body::ClientHello {
                random: "x".to_owned(),
                versions: Vec::new(),
                cipher_suites: Vec::new(),
                groups: Vec::new(),
                key_shares: Vec::new(),
                signature_schemes: Vec::new(),
                server_name: None,
                protocols: Vec::new(),
                resumes: false,
            },
            Body::HelloRetryRequest { version: ProtocolVersion::TLS12, cipher_suite: CipherSuite(0xcca9), group: None },
            Body::EncryptedExtensions { protocol: None },
            Body::CertificateRequest { signature_schemes: Vec::new(), authorities: Vec::new() },
            Body::CertificateVerify { scheme: SignatureScheme(0x081a) },
            Body::ClientKeyExchange { public_bytes: 0 },
            Body::NewSessionTicket { lifetime_seconds: 0, ticket_bytes: 0 },
        ];
        let bodies = messages().into_iter().map(|message| message.body).chain(others);
        for body in bodies.filter(|body| json!(body).is_object()) {
            let message = Message { from: Side::Client, body, bytes: 0, encrypted: false, at: Duration::ZERO };
            let name = message.name().replace("255", "N");
            let row = reference.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
            let row = row.unwrap_or_else(|| panic!("docs/reference/json.md has no row for {name}"));
            let mut fields = vec![json!(message.body)];
            while let Some(value) = fields.pop() {
                fields.extend(value.as_array().into_iter().flatten().cloned());
                for (field, inside) in value.as_object().into_iter().flatten() {
                    assert!(row.contains(&format!("`{field}`")), "{name} has {field}: {row}");
                    fields.push(inside.clone());
                }
            }
        }
    }

    #[test]
    fn colour_tells_the_encrypted_from_the_clear_and_never_changes_the_text() {
        let plain = rungs(&messages(), Style::PLAIN);
        let colored = rungs(&messages(), Style { stdout: true, ..Style::PLAIN });
        assert!(colored.contains("\u{1b}[32m◀═") && colored.contains("\u{1b}[31m Alert "));
        let mut stripped = colored;
        for code in ["0", "1", "2", "31", "32", "33"] {
            stripped = stripped.replace(&format!("\u{1b}[{code}m"), "");
        }
        assert_eq!(stripped, plain);
    }
}
