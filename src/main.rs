//! The only place that makes the real world.
//!
//! With glibc on Linux, the program begins with the C function `main`, and not with the runtime of the standard library:
//! before `main`, that reads /proc/self/maps, so that it can print a message when the stack of the process overflows. This
//! takes a fortieth of the time of one `ca verify` (docs/decisions/0007-static-binary.md). What else it does,
//! [`World::prepare_process`] does.
#![cfg_attr(all(target_os = "linux", target_env = "gnu", not(test)), no_main)]

use ca::cli;
use ca::report::exit_status::ExitStatus;
use ca::system::World;

fn run() -> ExitStatus {
    if let Err(error) = World::prepare_process() {
        return refused("open /dev/null", &error);
    }
    match World::system() {
        Ok(mut world) => cli::run(std::env::args_os(), &mut world),
        Err(error) => refused("find the working folder", &error),
    }
}

fn refused(action: &str, error: &std::io::Error) -> ExitStatus {
    eprintln!("error: cannot {action}: {}", ca::text::io_reason(error));
    ExitStatus::Refused
}

/// Called by the C library, which has passed the arguments to the standard library before. Nothing is buffered for standard
/// output when it returns: each result is flushed where it is shown.
#[cfg(all(target_os = "linux", target_env = "gnu", not(test)))]
#[unsafe(no_mangle)]
pub extern "C" fn main(_: std::ffi::c_int, _: *const *const std::ffi::c_char) -> std::ffi::c_int {
    run() as std::ffi::c_int
}

#[cfg(not(all(target_os = "linux", target_env = "gnu", not(test))))]
fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(run() as u8)
}
