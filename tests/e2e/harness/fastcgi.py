"""A FastCGI client that speaks records by hand (FastCGI specification 1.0).

A web server only ever sends whole, well-formed requests.  This client can also
stop half-way, lie about lengths and abort, because everybody who can connect to
the socket can do so.
"""

import socket
import struct

from . import openapi

BEGIN_REQUEST, ABORT_REQUEST, END_REQUEST = 1, 2, 3
PARAMS, STDIN, STDOUT, STDERR = 4, 5, 6, 7
GET_VALUES, GET_VALUES_RESULT = 9, 10

RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
KEEP_CONNECTION = 1

HEADER = struct.Struct(">BBHHBx")


class Answer:
    """What came back: the program's output, taken apart."""

    def __init__(self, output, errors=b"", ended=False, app_status=None,
                 protocol_status=None):
        self.output = output
        self.errors = errors
        self.ended = ended  # an END_REQUEST record came
        self.app_status = app_status
        self.protocol_status = protocol_status
        head, blank, self.body = output.partition(b"\r\n\r\n")
        self.whole_head = bool(blank)
        self.headers = []
        self.status = 200
        for line in head.decode("latin-1").split("\r\n"):
            name, colon, value = line.partition(":")
            if not colon:
                continue
            if name.lower() == "status":
                self.status = int(value.split()[0])
            else:
                self.headers.append((name, value.strip()))

    def header(self, name):
        values = self.header_all(name)
        assert len(values) <= 1, f"{name} stands {len(values)} times"
        return values[0] if values else None

    def header_all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def __repr__(self):
        return f"<Answer {self.status} {self.body[:300]!r}>"


def record(kind, content=b"", request_id=1, version=1, padding=0):
    return (HEADER.pack(version, kind, request_id, len(content), padding)
            + content + b"\0" * padding)


def length(number):
    """A name's or value's length as FastCGI writes it."""
    if number < 128:
        return bytes([number])
    return struct.pack(">I", number | 0x80000000)


def pair(name, value):
    name, value = as_bytes(name), as_bytes(value)
    return length(len(name)) + length(len(value)) + name + value


def as_bytes(text):
    return text if isinstance(text, bytes) else str(text).encode()


def stream(kind, content, request_id=1):
    """A stream cut into records; its end is not included."""
    return b"".join(record(kind, content[i:i + 65535], request_id)
                    for i in range(0, len(content), 65535))


def request_params(method, uri, body=b"", headers=(), https=False,
                   content_length=True, **more):
    """The parameters that web servers send, as a list of pairs."""
    path, _, query = uri.partition("?")
    pairs = [
        ("REQUEST_METHOD", method),
        ("REQUEST_URI", uri),
        ("SCRIPT_NAME", path),
        ("QUERY_STRING", query),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("SERVER_NAME", "localhost"),
        ("REMOTE_ADDR", "192.0.2.7"),
        ("REMOTE_PORT", "40000"),
    ]
    if https:
        pairs += [("HTTPS", "on"), ("REQUEST_SCHEME", "https")]
    headers = headers.items() if isinstance(headers, dict) else headers
    for name, value in headers:
        if name.lower() == "content-type":
            pairs.append(("CONTENT_TYPE", value))
        else:
            pairs.append(("HTTP_" + name.upper().replace("-", "_"), value))
    if content_length is True:
        if body or method in ("POST", "PUT"):
            pairs.append(("CONTENT_LENGTH", str(len(body))))
    elif content_length is not None:
        pairs.append(("CONTENT_LENGTH", content_length))
    for name, value in more.items():
        pairs = [(n, v) for n, v in pairs if n != name]
        if value is not None:
            pairs.append((name, value))
    return pairs


class Connection:
    """One connection to a FastCGI socket; use it in a `with`."""

    def __init__(self, address, timeout=30):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(address)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def begin(self, role=RESPONDER, flags=0):
        self.send(record(BEGIN_REQUEST, struct.pack(">HB5x", role, flags)))

    def params(self, pairs, end=True):
        self.send(stream(PARAMS, b"".join(pair(n, v) for n, v in pairs)))
        if end:
            self.send(record(PARAMS))

    def stdin(self, body, end=True):
        self.send(stream(STDIN, as_bytes(body)))
        if end:
            self.send(record(STDIN))

    def abort(self):
        self.send(record(ABORT_REQUEST))

    def close_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def answer(self):
        """Read until the request's end or the connection's."""
        out, err = b"", b""
        try:
            while True:
                _, kind, _, size, padding = HEADER.unpack(self._exactly(8))
                content = self._exactly(size + padding)[:size]
                if kind == STDOUT:
                    out += content
                elif kind == STDERR:
                    err += content
                elif kind == END_REQUEST:
                    app, protocol = struct.unpack(">IB3x", content)
                    return Answer(out, err, True, app, protocol)
        except (EOFError, ConnectionResetError, BrokenPipeError):
            return Answer(out, err)


def ask(address, method, uri, body=b"", headers=(), role=RESPONDER,
        timeout=30, pairs=None, **more):
    """One whole, honest request (unless the parameters say otherwise)."""
    body = as_bytes(body)
    honest = pairs is None and role == RESPONDER and not more.keys() & {
        "REQUEST_URI", "REQUEST_METHOD"}
    if pairs is None:
        pairs = request_params(method, uri, body, headers, **more)
    with Connection(address, timeout) as connection:
        try:
            connection.begin(role)
            connection.params(pairs)
            if role == RESPONDER:
                connection.stdin(body)
        except (ConnectionResetError, BrokenPipeError):
            pass  # it answers before it has read all: that is its right
        answer = connection.answer()
    if honest and answer.whole_head:
        openapi.check_answer(method, uri, body, answer)
    return answer
