//! The only place that makes the real world.

use std::process::ExitCode;

use ca::cli;
use ca::report::exit_status::ExitStatus;
use ca::system::World;

fn main() -> ExitCode {
    World::prepare_process();
    let status = match World::system() {
        Ok(mut world) => cli::run(std::env::args_os(), &mut world),
        Err(error) => {
            eprintln!("error: cannot find the working folder: {}", ca::text::io_reason(&error));
            ExitStatus::Refused
        }
    };
    ExitCode::from(status as u8)
}
