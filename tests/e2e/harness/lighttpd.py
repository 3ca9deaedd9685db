"""lighttpd in front of Postern."""

import os
import shutil
import signal

from . import web


def quote(value):
    """A string of lighttpd's configuration."""
    return '"%s"' % str(value).replace("\\", "\\\\").replace('"', '\\"')


def to_socket(address, prefix="/v2"):
    return "".join(f"""fastcgi.server += ( {quote(part)} => ((
        "socket" => {quote(address)},
        "check-local" => "disable",
    )) )
""" for part in (prefix, "/.well-known/jwks.json"))


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


class Lighttpd(web.Server):
    KINDLY = signal.SIGINT

    def __init__(self, directory, backend, root=None, port=None, user=None):
        """Root's becomes `user`, as Debian's package does."""
        super().__init__(directory, root, port)
        if user and os.getuid() == 0:
            shutil.chown(self.directory, user, user)
            backend = f"""server.username = {quote(user)}
server.groupname = {quote(user)}
{backend}"""
        self.logs = [self.directory / "error.log",
                     self.directory / "breakage.log"]
        settings = self.directory / "lighttpd.conf"
        settings.write_text(f"""
server.modules = ( "mod_fastcgi" )
server.bind = "127.0.0.1"
server.port = {self.port}
server.document-root = {quote(self.root)}
server.errorlog = {quote(self.logs[0])}
server.breakagelog = {quote(self.logs[1])}
server.upload-dirs = ( {quote(self.directory)} )
index-file.names = ( "index.html" )
mimetype.assign = ( ".html" => "text/html; charset=utf-8",
    ".css" => "text/css", ".js" => "text/javascript",
    ".svg" => "image/svg+xml" )
{backend}""")
        self.run(["lighttpd", "-D", "-f", settings])
