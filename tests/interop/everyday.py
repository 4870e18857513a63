"""Everyday chains: a server for all of them, and Python's ssl module as their client. Standard library only.

serve FOLDER        serves ID.chain.pem with ID.key.pem, each on a port of its own; prints "ID PORT" for each, then "ready"
client LIST         asks each server of a list, whose lines have ID, PORT, HOST and the file of the roots; prints "ID yes|no REASON"
version             prints the version of Python
"""

import pathlib
import platform
import selectors
import socket
import ssl
import sys
import threading


def answer(raw, context):
    raw.settimeout(10)
    try:
        with context.wrap_socket(raw, server_side=True) as tls:
            tls.recv(4096)
            tls.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nan everyday page\n")
    except OSError:
        pass
    finally:
        raw.close()


def serve(folder):
    waiting = selectors.DefaultSelector()
    for chain in sorted(pathlib.Path(folder).glob("*.chain.pem"), key=lambda path: int(path.name.split(".")[0])):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # A server does not refuse what it has: the client decides.
        context.set_ciphers("ALL:@SECLEVEL=0")
        number = chain.name.split(".")[0]
        try:
            context.load_cert_chain(chain, chain.with_name(number + ".key.pem"))
        except ssl.SSLError as error:
            print(f"cannot serve {number}: {error}", file=sys.stderr, flush=True)
            continue
        listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        waiting.register(listener, selectors.EVENT_READ, context)
        print(number, listener.getsockname()[1])
    print("ready", flush=True)
    while True:
        for key, _ in waiting.select():
            raw, _ = key.fileobj.accept()
            threading.Thread(target=answer, args=(raw, key.data), daemon=True).start()


def client(cases):
    for line in pathlib.Path(cases).read_text().splitlines():
        number, port, host, roots = line.split("\t")
        try:
            context = ssl.create_default_context(cafile=roots)
            with socket.create_connection(("127.0.0.1", int(port)), 10) as raw:
                with context.wrap_socket(raw, server_hostname=host) as tls:
                    tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    tls.recv(4096)
            print(number, "yes")
        except (OSError, ValueError) as error:
            print(number, "no", " ".join(str(error).split()))


def version():
    print(platform.python_version())


{"serve": serve, "client": client, "version": version}[sys.argv[1]](*sys.argv[2:])
