"""The ways to have Postern behind a web server, each with its configuration as it
stands in deploy/ or man/."""

import os
import shlex
import shutil
from contextlib import ExitStack
from pathlib import Path

from . import deploy, process
from .apache import Apache
from .lighttpd import Lighttpd
from .nginx import Nginx
from .postern import Pool, check_reports, write_settings
from .tree import POSTERN, TOP

SOCKET = "/run/postern/postern.sock"
PROGRAM = "/usr/local/sbin/postern.fcgi"
SETTINGS = "/etc/postern/postern.conf"

# The proxy in front: one address of this machine's, where others are clients.
PROXY = "127.0.0.2"

# Who runs the pool that a supervisor starts, in place of a user "postern"; no
# other than root can be another.
USER = "www-data"

# What Debian's lighttpd.conf says of addresses.
LIGHTTPD = """
server.http-parseopts = (
    "header-strict" => "enable",
    "host-strict" => "enable",
    "host-normalize" => "enable",
    "url-normalize-unreserved" => "enable",
    "url-normalize-required" => "enable",
    "url-ctrls-reject" => "enable",
    "url-path-2f-decode" => "enable",
    "url-path-dotseg-remove" => "enable"
)
"""


# A second port, with TLS.
TLS = {
    "lighttpd": """
server.modules += ( "mod_openssl" )
$SERVER["socket"] == "127.0.0.1:{port}" {{
    ssl.engine = "enable"
    ssl.pemfile = "{room}/tls.pem"
    ssl.privkey = "{room}/tls.key"
}}
""",
    "apache": """
Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
    SSLEngine on
    SSLCertificateFile "{room}/tls.pem"
    SSLCertificateKeyFile "{room}/tls.key"
</VirtualHost>
""",
    "nginx": """
listen 127.0.0.1:{port} ssl;
ssl_certificate {room}/tls.pem;
ssl_certificate_key {room}/tls.key;
""",
}


def give_away(path):
    """It is readable to www-data, whom root's web servers become."""
    if os.getuid() == 0:
        for one in [path, *(path.iterdir() if path.is_dir() else ())]:
            shutil.chown(one, USER, USER)


class Place:
    """What all mounts have in common: database, keys, settings, certificate."""

    def __init__(self, room, settings):
        self.room = Path(room)
        self.room.mkdir()
        self.room.chmod(0o755)
        self.keys = self.room / "keys"
        shutil.copytree(settings["key_dir"], self.keys)
        give_away(self.keys)
        self.common = {**settings, "key_dir": self.keys}
        self.common.pop("user", None)
        self.common.pop("listen_group", None)
        process.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                     "-subj", "/CN=localhost", "-days", "1",
                     "-keyout", self.room / "tls.key",
                     "-out", self.room / "tls.pem"], check=True)

    def write_settings(self, name, **changes):
        """A settings file for processes that web servers and supervisors
        start: their standard error may be lost."""
        log = self.room / f"{name}.log"
        log.touch()
        give_away(log)
        path = write_settings(self.room / f"{name}.settings", {
            **self.common, "log": log, **changes})
        give_away(path)
        return path


class Mount:
    """A web server with Postern behind it."""

    def __init__(self, way, place, name, trusting=False, under=(), **changes):
        """`trusting`: with the configuration's lines for a proxy in front,
        which is PROXY.  `under`: what systemd's program is run by."""
        self.way = way
        self.kind = WAYS[way][1].__name__.lower()
        self.place = place
        self.room = place.room / name
        self.room.mkdir()
        self.room.chmod(0o755)
        self.name = name
        self.trusting = trusting
        self.under = under
        self.changes = changes
        self.tls_port = process.free_port()
        self.processes, self.started = ExitStack(), []
        try:
            self.server = WAYS[way][0](self)
        except BaseException:
            self.processes.close()
            raise

    def settings(self):
        return self.place.write_settings(self.name, **self.changes)

    def log(self):
        return (self.place.room / f"{self.name}.log").read_text()

    def output(self):
        """What the processes wrote that are not the web server's."""
        path = self.room / "output"
        return path.read_text() if path.exists() else ""

    def read(self, name, changes):
        """A configuration of the web server, and one for TLS beside it."""
        if self.trusting:
            changes = {**changes, "192.0.2.1": PROXY}
        return deploy.read(name, changes, suggested=self.trusting) \
            + TLS[self.kind].format(port=self.tls_port, room=self.place.room)

    def start(self, command, **environment):
        """A process that ends with the mount."""
        one = process.Process(command, self.room / "output",
                              env=process.clean_environment(**environment))
        self.processes.callback(one.stop)
        self.started.append(one)
        return one

    def stop(self):
        try:
            self.server.stop()
        finally:
            self.processes.close()
        check_reports(self.server.log() + self.output())


# ---- web servers, in front of a socket ---------------------------------------

def debians_lighttpd(mount, name, changes):
    return Lighttpd(mount.room / "web", LIGHTTPD
                    + mount.read(f"lighttpd/{name}", changes), user=USER)


def lighttpd(mount, address):
    return debians_lighttpd(mount, "postern.conf", {SOCKET: address})


def nginx(mount, address):
    return Nginx(mount.room / "web", mount.read(
        "nginx/postern.conf", {SOCKET: address}))


def apache(mount, address):
    return Apache(mount.room / "web", APACHE + mount.read(
        "apache/postern.conf", {SOCKET: address}), modules=["proxy", "proxy_fcgi", *apache_modules(mount)])


# What Debian's conf-enabled/security.conf says.
APACHE = "TraceEnable Off\n"


def apache_modules(mount):
    return ["ssl", "socache_shmcb", *(["remoteip", "setenvif"]
                                      if mount.trusting else [])]


def by_itself(mount):
    """A pool that made its own socket."""
    pool = Pool(mount.room / "pool", {
        **mount.place.common, **mount.changes,
        **({"user": "root", "listen_group": USER} if os.getuid() == 0
           else {})})
    mount.processes.callback(pool.stop)
    return pool.address


# ---- a pool that others start ------------------------------------------------

def spawn_fcgi(mount):
    """deploy/spawn-fcgi/postern-spawn, as a supervisor runs it."""
    run = mount.room / "run"
    address = str(run / "postern.sock")
    one = mount.start(
        [TOP / "deploy/spawn-fcgi/postern-spawn"], SPAWN_PROGRAM=POSTERN,
        SPAWN_USER=USER, SPAWN_DIRECTORY=run,
        POSTERN_CONFIG=mount.settings())
    one.wait_until_it_answers(address)
    return address


def init_script(mount, *arguments, check=True):
    """deploy/spawn-fcgi/postern.init, as init runs it."""
    return process.run(
        [TOP / "deploy/spawn-fcgi/postern.init", *arguments], check=check,
        env=process.clean_environment(
            SPAWN_PROGRAM=POSTERN, SPAWN_USER=USER,
            SPAWN_DIRECTORY=mount.room / "run",
            POSTERN_CONFIG=mount.settings()))


def spawn_fcgi_daemon(mount):
    init_script(mount, "start")
    mount.processes.callback(init_script, mount, "stop")
    return str(mount.room / "run/postern.sock")


def unit(name):
    """{key: value} of a unit in deploy/systemd."""
    lines = (TOP / "deploy/systemd" / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines
                if "=" in line and not line.startswith("#"))


def as_user():
    """What makes root's command USER's, as "User=" of a unit does."""
    if os.getuid() != 0:
        return []
    return ["setpriv", "--reuid", USER, "--regid", USER, "--init-groups"]


def systemd(mount):
    """The units' command and socket, by systemd's own activator."""
    socket, service = unit("postern.socket"), unit("postern.service")
    address = mount.room / "postern.sock"
    assert socket["ListenStream"] == SOCKET
    command = deploy.adapt(service["ExecStart"], {
        PROGRAM: POSTERN, SETTINGS: mount.settings()}, "postern.service")
    mount.start(["systemd-socket-activate", "-l", address, *as_user(),
                 *mount.under, *shlex.split(command)])
    process.wait_until("systemd's socket", address.exists)
    address.chmod(int(socket["SocketMode"], 8))
    if os.getuid() == 0:
        shutil.chown(address, socket["SocketUser"], socket["SocketGroup"])
    return str(address)


# ---- programs that web servers start -----------------------------------------

def lighttpd_bin_path(mount):
    return debians_lighttpd(mount, "postern-bin-path.conf", {
        PROGRAM: POSTERN, SETTINGS: mount.settings(),
        "/run/lighttpd/postern.sock": mount.room / "web/postern.sock"})


def lighttpd_cgi(mount):
    return debians_lighttpd(mount, "postern-cgi.conf", {
        PROGRAM: POSTERN, SETTINGS: mount.settings()})


def apache_fcgid(mount):
    return Apache(mount.room / "web", APACHE + f"""
FcgidIPCDir {mount.room}/fcgid
FcgidProcessTableFile {mount.room}/fcgid-table
""" + mount.read("apache/postern-fcgid.conf", {
        PROGRAM: POSTERN, SETTINGS: mount.settings()}),
        modules=["fcgid", *apache_modules(mount)])


def apache_cgi(mount):
    return Apache(mount.room / "web", APACHE
                  + f"ScriptSock {mount.room}/cgid\n"
                  + mount.read("apache/postern-cgi.conf", {
                      PROGRAM: POSTERN, SETTINGS: mount.settings()}),
                  modules=["cgid", "alias", "env", *apache_modules(mount)])


# ---- all of them -------------------------------------------------------------

def behind(server, pool):
    return lambda mount: server(mount, pool(mount))


WAYS = {
    "lighttpd": (behind(lighttpd, by_itself), Lighttpd),
    "lighttpd-bin-path": (lighttpd_bin_path, Lighttpd),
    "lighttpd-cgi": (lighttpd_cgi, Lighttpd),
    "apache-proxy-fcgi": (behind(apache, by_itself), Apache),
    "apache-fcgid": (apache_fcgid, Apache),
    "apache-cgi": (apache_cgi, Apache),
    "nginx": (behind(nginx, by_itself), Nginx),
    "spawn-fcgi": (behind(lighttpd, spawn_fcgi), Lighttpd),
    "spawn-fcgi-daemon": (behind(lighttpd, spawn_fcgi_daemon), Lighttpd),
    "systemd": (behind(nginx, systemd), Nginx),
}
