"""Python's ssl module as the client of everyday chains. Standard library only.

client LIST         asks each server of a list, whose lines have ID, PORT, HOST and the file of the roots; prints "ID yes|no REASON"
client-of-3.13 LIST the same, with the flags that Python 3.13 sets by default
version             prints the version of Python
"""

import pathlib
import platform
import socket
import ssl
import sys


def client(cases, flags=0):
    for line in pathlib.Path(cases).read_text().splitlines():
        number, port, host, roots = line.split("\t")
        try:
            context = ssl.create_default_context(cafile=roots)
            context.verify_flags |= flags
            with socket.create_connection(("127.0.0.1", int(port)), 10) as raw:
                with context.wrap_socket(raw, server_hostname=host) as tls:
                    tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    tls.recv(4096)
            print(number, "yes")
        except (OSError, ValueError) as error:
            print(number, "no", " ".join(str(error).split()))


def client_of_3_13(cases):
    client(cases, ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN)


def version():
    print(platform.python_version())


{"client": client, "client-of-3.13": client_of_3_13, "version": version}[sys.argv[1]](*sys.argv[2:])
