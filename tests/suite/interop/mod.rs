//! Somebody else's word: other TLS libraries judge what the program makes, and speak TLS with it.

mod browser;
mod easy_rsa;
mod exchange;
mod exports;
mod imports;
mod judges;
mod likely_cause;
mod live;
mod peers;
mod programs;
mod refusals;
mod requests;
mod revocation;
mod rotation;
mod starttls;
mod trust;
mod wireshark;
