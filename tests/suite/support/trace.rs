//! The system calls of one run, as strace saw them, with everything that was written.

use super::fault::Disk;
use super::program::{Place, binary, succeeded};

/// What can change a disk, or says which file a number stands for. Every other call leaves the disk as it is.
const CALLS: &str = "openat,openat2,open,creat,close,dup,dup2,dup3,fcntl,lseek,write,writev,pwrite64,pwritev,pwritev2,ftruncate,\
                     truncate,fallocate,fsync,fdatasync,sync,syncfs,sync_file_range,msync,rename,renameat,renameat2,link,\
                     linkat,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat,copy_file_range,sendfile,splice,chdir,\
                     fchdir,clone,clone3,fork,vfork";

/// One system call.
#[derive(Debug, Clone)]
pub struct Call {
    pub name: String,
    pub arguments: Vec<Argument>,
    /// What came back; negative is an error.
    pub result: i64,
}

#[derive(Debug, Clone)]
pub enum Argument {
    /// A path, or what was written.
    Octets(Vec<u8>),
    /// Anything else, as strace shows it.
    Word(String),
}

impl Call {
    pub fn text(&self, position: usize) -> String {
        match &self.arguments[position] {
            Argument::Octets(octets) => String::from_utf8(octets.clone()).unwrap(),
            Argument::Word(word) => panic!("{word} is no text in {self:?}"),
        }
    }

    pub fn octets(&self, position: usize) -> &[u8] {
        match &self.arguments[position] {
            Argument::Octets(octets) => octets,
            Argument::Word(word) => panic!("{word} is no text in {self:?}"),
        }
    }

    pub fn word(&self, position: usize) -> &str {
        match self.arguments.get(position) {
            Some(Argument::Word(word)) => word,
            other => panic!("{other:?} is no word in {self:?}"),
        }
    }

    pub fn number(&self, position: usize) -> i64 {
        self.word(position).parse().unwrap_or_else(|_| panic!("{} is no number in {self:?}", self.word(position)))
    }
}

/// Runs a command, which has to succeed, and gives back its calls in their order.
pub fn record(place: &Place, words: &str, disk: Disk) -> Vec<Call> {
    let log = place.path("calls.log");
    let mut command = place.command("strace");
    command.args(["-f", "-qq", "-xx", "-s", "10000000", "-e", "signal=none", "-e", &format!("trace={CALLS}")]);
    disk.inject(&mut command);
    command.arg("-o").arg(&log).arg(binary()).args(words.split_whitespace());
    succeeded(words, &command.output().unwrap());
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::remove_file(log).unwrap();
    text.lines().map(call).collect()
}

/// `4711 pwrite64(5, "\x00\x0a", 2, 4096) = 2`
fn call(line: &str) -> Call {
    let parsed = || {
        let (name, rest) = line.split_once(char::is_whitespace)?.1.trim_start().split_once('(')?;
        let (arguments, result) = rest.rsplit_once(" = ")?;
        let arguments = arguments.trim_end().strip_suffix(')')?;
        let result = result.split_whitespace().next()?;
        // `?`: the call did not return. `0x…`: flags, which nobody asks for.
        let result = if result == "?" || result.starts_with("0x") { 0 } else { result.parse().ok()? };
        Some(Call { name: name.to_owned(), arguments: split(arguments)?, result })
    };
    parsed().unwrap_or_else(|| panic!("strace said something unknown: {}", &line[..line.len().min(300)]))
}

/// Arguments are separated by commas, but not those inside braces and strings.
fn split(mut rest: &str) -> Option<Vec<Argument>> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let after = match rest.strip_prefix('"') {
            Some(string) => {
                let (hexadecimal, after) = string.split_once('"')?;
                found.push(Argument::Octets(octets(hexadecimal)?));
                after
            }
            None => {
                let mut depth = 0_i32;
                let ends = |c: char| {
                    depth += i32::from(matches!(c, '{' | '[')) - i32::from(matches!(c, '}' | ']'));
                    c == ',' && depth == 0
                };
                let length = rest.find(ends).unwrap_or(rest.len());
                found.push(Argument::Word(rest[..length].to_owned()));
                &rest[length..]
            }
        };
        // Anything else behind a string would be the dots of one that was cut off.
        rest = if after.is_empty() { after } else { after.strip_prefix(", ")? };
    }
    Some(found)
}

fn octets(hexadecimal: &str) -> Option<Vec<u8>> {
    hexadecimal.split("\\x").skip(1).map(|octet| u8::from_str_radix(octet, 16).ok()).collect()
}
