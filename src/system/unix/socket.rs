//! Options of sockets that the standard library does not have.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

/// Makes dropping a socket wait so long for what was sent to be received; with zero, the connection ends with a reset.
///
/// # Errors
/// When the system does not know the option.
pub fn set_linger(socket: &TcpStream, linger: Duration) -> io::Result<()> {
    Ok(rustix::net::sockopt::set_socket_linger(socket, Some(linger))?)
}
