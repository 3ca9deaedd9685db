"""An HTTP client that changes nothing on its way: no cookie jar, no redirects,
every header as it came."""

import http.client
import json
import signal
import ssl
from pathlib import Path

from . import openapi, process

ANYBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ANYBODY.check_hostname = False
ANYBODY.verify_mode = ssl.CERT_NONE


class Response:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # pairs, in order
        self.body = body

    def header(self, name):
        values = self.header_all(name)
        assert len(values) <= 1, f"{name} stands {len(values)} times"
        return values[0] if values else None

    def header_all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<Response {self.status} {self.body[:300]!r}>"


def fetch(port, method, target, body=None, headers=(), host="127.0.0.1",
          timeout=30, source="127.0.0.1", tls=False):
    """`source` is the client's own address; with `tls`, any certificate will
    do."""
    options = {"timeout": timeout, "source_address": (source, 0)}
    if tls:
        connection = http.client.HTTPSConnection(host, port, context=ANYBODY,
                                                 **options)
    else:
        connection = http.client.HTTPConnection(host, port, **options)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        headers = list(headers.items() if isinstance(headers, dict)
                       else headers)
        given = {name.lower() for name, _ in headers}
        if body is not None and not given & {"content-length",
                                             "transfer-encoding"}:
            headers.append(("Content-Length", str(len(body))))
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders(body)
        found = connection.getresponse()
        answer = Response(found.status, found.getheaders(), found.read())
    finally:
        connection.close()
    if answer.header_all("X-Request-Id"):  # not the web server's own
        openapi.check_answer(
            method, target, None if "transfer-encoding" in given else body,
            answer)
    return answer


class Server:
    """A web server of the tests' own: what it logs into, `logs`, is its
    maker's, who also runs it."""

    # Lets requests in flight end.
    KINDLY = signal.SIGTERM

    def __init__(self, directory, root=None, port=None):
        """`directory` is made for it, and `root`, what it serves, where that is
        not there."""
        self.directory = Path(directory)
        self.directory.mkdir()
        self.root = Path(root or self.directory / "root")
        self.root.mkdir(exist_ok=True)
        self.port = port or process.free_port()

    def run(self, command):
        """Start it, and wait until it answers."""
        self.process = process.Process(command, self.directory / "output")
        try:
            self.process.wait_until_it_answers(("127.0.0.1", self.port))
        except BaseException:
            self.process.popen.kill()
            print(self.log()[-2000:])
            raise

    def fetch(self, method, target, body=None, headers=(), port=None,
              **options):
        return fetch(port or self.port, method, target, body, headers,
                     **options)

    def post_json(self, target, value, headers=()):
        headers = [("Content-Type", "application/json"), *dict(headers).items()]
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.fetch("POST", target, body, headers)

    def log(self):
        return "".join(path.read_text(errors="replace")
                       for path in self.logs if path.exists())

    def stop(self, kindly=False):
        if kindly:
            self.process.signal(self.KINDLY)
            return self.process.wait()
        return self.process.stop()
