"""Python's ssl module as a TLS peer and as a judge. Standard library only.

server PORT FULLCHAIN KEY ROOT
client PORT HOST TLS ROOT [FULLCHAIN KEY]
judge  HOST ROOT FULLCHAIN KEY      (a handshake in memory, with OpenSSL's strictest checks)
"""

import socket
import ssl
import sys

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def context(protocol, root, chain=None, key=None, version=None):
    made = ssl.SSLContext(protocol)
    made.load_verify_locations(root)
    made.verify_mode = ssl.CERT_REQUIRED
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    if chain:
        made.load_cert_chain(chain, key)
    if version:
        made.minimum_version = made.maximum_version = VERSIONS[version]
    return made


def server(port, chain, key, root):
    made = context(ssl.PROTOCOL_TLS_SERVER, root, chain, key)
    with socket.create_server(("127.0.0.1", int(port))) as listener:
        while True:
            raw, _ = listener.accept()
            raw.settimeout(10)
            try:
                with made.wrap_socket(raw, server_side=True) as tls:
                    tls.recv(4096)
                    names = dict(pair[0] for pair in tls.getpeercert()["subject"])
                    tls.sendall(b"HTTP/1.0 200 OK\r\n\r\nclient=" + names["commonName"].encode() + b"\n")
            except OSError as error:
                print(error, file=sys.stderr, flush=True)


def client(port, host, version, root, chain=None, key=None):
    made = context(ssl.PROTOCOL_TLS_CLIENT, root, chain, key, version)
    with socket.create_connection(("127.0.0.1", int(port)), 10) as raw:
        with made.wrap_socket(raw, server_hostname=host) as tls:
            tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while data := tls.recv(4096):
                sys.stdout.write(data.decode())


def judge(host, root, chain, key):
    ends = {}
    for name, protocol in (("client", ssl.PROTOCOL_TLS_CLIENT), ("server", ssl.PROTOCOL_TLS_SERVER)):
        made = context(protocol, root, chain, key) if name == "server" else context(protocol, root)
        if name == "server":
            made.verify_mode = ssl.CERT_NONE
        ends[name] = (made, ssl.MemoryBIO(), ssl.MemoryBIO())
    made, come, gone = ends["client"]
    asking = made.wrap_bio(come, gone, server_hostname=host)
    made, server_come, server_gone = ends["server"]
    answering = made.wrap_bio(server_come, server_gone, server_side=True)
    done = set()
    for _ in range(10):
        for name, end in (("client", asking), ("server", answering)):
            try:
                end.do_handshake()
                done.add(name)
            except ssl.SSLWantReadError:
                pass
            server_come.write(gone.read())
            come.write(server_gone.read())
    assert done == {"client", "server"}, done


{"server": server, "client": client, "judge": judge}[sys.argv[1]](*sys.argv[2:])
