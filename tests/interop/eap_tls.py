"""A client of EAP-TLS (RFC 5216) that need not have a certificate: PORT ROOTS [CERTIFICATE KEY]."""

import hashlib, hmac, os, socket, ssl, struct, sys

port, root, files = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.load_verify_locations(root)
# FreeRADIUS 3.2 offers TLS 1.3 only with a setting of its own.
context.maximum_version = ssl.TLSVersion.TLSv1_2
if files:
    context.load_cert_chain(*files)
received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(received, sent)
peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.connect(("127.0.0.1", port))
peer.settimeout(30)
state = b""

def attribute(kind, value):
    return bytes([kind, len(value) + 2]) + value

def ask(number, eap):
    """Sends an EAP response in an Access-Request (RFC 3579); the code of the answer, and the EAP request in it."""
    global state
    parts = [eap[at:at + 250] for at in range(0, len(eap), 250)]
    body = attribute(1, b"alice") + state + b"".join(attribute(79, part) for part in parts)
    head = bytes([1, number]) + struct.pack("!H", 20 + len(body) + 18) + os.urandom(16)
    zeros = hmac.new(b"secret", head + body + attribute(80, bytes(16)), hashlib.md5).digest()
    peer.send(head + body + attribute(80, zeros))
    answer = peer.recv(4096)
    at, eap, state = 20, b"", b""
    while at < len(answer):
        kind, length = answer[at], answer[at + 1]
        value = answer[at + 2:at + length]
        eap += value if kind == 79 else b""
        state += attribute(24, value) if kind == 24 else b""
        at += length
    return answer[0], eap

def response(request, data):
    return bytes([2, request[1]]) + struct.pack("!H", 4 + len(data)) + data

number, pending = 0, b""
code, request = ask(number, bytes([2, 0]) + struct.pack("!H", 10) + b"\x01alice")
while code == 11:
    number += 1
    flags = request[5]
    received.write(request[6 + (4 if flags & 0x80 else 0):])
    # Another fragment follows (RFC 5216 section 3.1): it is asked for by an empty response.
    if not flags & 0x40 and not pending:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            print(error)
        pending = sent.read()
    part, pending = pending[:1000], pending[1000:]
    code, request = ask(number, response(request, bytes([13, 0x40 if pending else 0]) + part))
print({2: "accepted", 3: "rejected"}[code])
