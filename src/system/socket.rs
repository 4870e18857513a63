//! What the standard library does not have for sockets: an option, and a question about errors.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use super::unix;

/// Makes dropping the socket end the connection with a reset, so that its port is free at once. A connection that is closed
/// normally keeps its port for a minute or more (TIME-WAIT, RFC 9293 §3.6.1). There are 28,000 ports for such connections,
/// and the fewer are left, the longer the system looks for one.
///
/// Data that the other side has not read by then is lost. So this is for connections of which one thread has both sides.
///
/// # Errors
/// When the system does not know the option.
pub fn drop_without_lingering(socket: &TcpStream) -> io::Result<()> {
    unix::socket::set_linger(socket, Duration::ZERO)
}

/// Returns whether a connection failed because the other side has ended it.
pub fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(error.kind(), Kind::ConnectionReset | Kind::BrokenPipe | Kind::ConnectionAborted | Kind::UnexpectedEof)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
pub(crate) mod tests {
    use std::net::{SocketAddr, TcpListener};

    use super::*;

    /// Returns whether the system still has a connection from one of these ports to the other (proc_pid_net(5)).
    pub(crate) fn is_known(from: SocketAddr, to: SocketAddr) -> bool {
        let (from, to) = (format!(":{:04X}", from.port()), format!(":{:04X}", to.port()));
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        table.lines().any(|line| {
            let mut fields = line.split_whitespace().skip(1);
            fields.next().is_some_and(|local| local.ends_with(&from))
                && fields.next().is_some_and(|remote| remote.ends_with(&to))
        })
    }

    #[test]
    fn a_connection_that_does_not_linger_frees_its_port_at_once_and_another_does_not() {
        for (at_once, known) in [(true, false), (false, true)] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (server, _) = listener.accept().unwrap();
            let (from, to) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
            if at_once {
                drop_without_lingering(&client).unwrap();
            }
            drop((client, server));
            assert_eq!(is_known(from, to), known, "at once: {at_once}");
        }
    }
}
