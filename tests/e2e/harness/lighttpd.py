"""lighttpd in front of Postern."""

import json
import signal
from pathlib import Path

from . import process, web


def quote(value):
    """A string of lighttpd's configuration."""
    return '"%s"' % str(value).replace("\\", "\\\\").replace('"', '\\"')


def to_socket(address, prefix="/v2"):
    return f"""fastcgi.server += ( {quote(prefix)} => ((
        "socket" => {quote(address)},
        "check-local" => "disable",
    )) )
"""


def to_program(program, socket, environment, prefix="/v2"):
    """lighttpd starts the program itself and hands it the socket as fd 0."""
    given = ",\n".join(f"{quote(name)} => {quote(value)}"
                       for name, value in environment.items())
    return f"""fastcgi.server += ( {quote(prefix)} => ((
        "bin-path" => {quote(program)},
        "socket" => {quote(socket)},
        "max-procs" => 1,
        "check-local" => "disable",
        "bin-environment" => ( {given} ),
        "bin-copy-environment" => ( "PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS" ),
    )) )
"""


class Lighttpd:
    def __init__(self, directory, backend, root=None):
        self.directory = Path(directory)
        self.directory.mkdir()
        root = root or self.directory / "root"
        Path(root).mkdir(exist_ok=True)
        self.port = process.free_port()
        self.error_log = self.directory / "error.log"
        self.breakage_log = self.directory / "breakage.log"
        settings = self.directory / "lighttpd.conf"
        settings.write_text(f"""
server.modules = ( "mod_fastcgi" )
server.bind = "127.0.0.1"
server.port = {self.port}
server.document-root = {quote(root)}
server.errorlog = {quote(self.error_log)}
server.breakagelog = {quote(self.breakage_log)}
server.upload-dirs = ( {quote(self.directory)} )
index-file.names = ( "index.html" )
mimetype.assign = ( ".html" => "text/html; charset=utf-8",
    ".css" => "text/css", ".js" => "text/javascript",
    ".svg" => "image/svg+xml" )
{backend}""")
        self.process = process.Process(
            ["lighttpd", "-D", "-f", settings], self.directory / "output")
        try:
            self.process.wait_until_it_answers(("127.0.0.1", self.port))
        except BaseException:
            self.process.popen.kill()
            raise

    def fetch(self, method, target, body=None, headers=(), **options):
        return web.fetch(self.port, method, target, body, headers, **options)

    def post_json(self, target, value, headers=()):
        headers = [("Content-Type", "application/json"), *dict(headers).items()]
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.fetch("POST", target, body, headers)

    def log(self):
        return "".join(path.read_text(errors="replace") for path in
                       (self.error_log, self.breakage_log) if path.exists())

    def stop(self, kindly=False):
        if kindly:
            self.process.signal(signal.SIGINT)
            return self.process.wait(15)
        return self.process.stop()
