"""Places that web servers protect by asking Postern, each with its configuration out
of deploy/: a directory of files, and programs that are told who asks."""

import http.server
import json
import os
import shutil
import threading
from types import SimpleNamespace

import pytest

from conftest import SIGN_IN
from harness import contract, deploy, process
from harness.apache import Apache
from harness.lighttpd import Lighttpd
from harness.nginx import Nginx
from harness.postern import write_settings
from harness.sessions import ACCESS, Session, ask
from harness.tree import POSTERN

SECRET = b"only for those who are signed in"
SOCKET = "/run/postern/postern.sock"

# A program that shows what it is told, as CGI.
SHOW = """#!/bin/sh
cat >/dev/null
printf 'Content-Type: text/plain\\r\\n\\r\\n'
env | grep -E '^(HTTP_X_|POSTERN_|REMOTE_USER|CONTENT_LENGTH)'
"""

# What somebody might send who would like to be another.
PRETENCE = {"X-Postern-User-Id": "root", "X-Postern-Email": "root@evil.test",
            "X-Postern-Session-Id": "root", "Postern-Email": "root@evil.test",
            "Remote-User": "root", "Variable-REMOTE_USER": "root"}


# ---- the servers -------------------------------------------------------------

def lighttpd(room, place, address=None, **_):
    socket = {SOCKET: address or place.pool.address}
    return Lighttpd(
        room, deploy.read("lighttpd/postern.conf", socket)
        + deploy.read("lighttpd/forward-auth.conf",
                      {**socket, "/var/www/html": place.root})
        + 'server.modules += ( "mod_cgi" )\ncgi.assign = ( ".cgi" => "" )\n',
        root=place.root)


def nginx(room, place, address=None, **_):
    socket = {SOCKET: address or place.pool.address}
    return Nginx(
        room, deploy.read("nginx/postern.conf", socket, suggested=True)
        + deploy.read("nginx/forward-auth.conf",
                      {**socket, "/var/www/html": place.root,
                       "127.0.0.1:3000": place.service}, suggested=True),
        root=place.root)


def apache(room, place, settings=None, more=""):
    return Apache(
        room, deploy.read("apache/postern.conf",
                          {SOCKET: place.pool.address}) + f"""
TypesConfig /etc/mime.types
FcgidIPCDir {room}/fcgid
FcgidProcessTableFile {room}/fcgid-table
ScriptSock {room}/cgid
<Directory "{place.root}/private">
    Options +ExecCGI
    AddHandler cgi-script .cgi
</Directory>
{more}""" + deploy.read("apache/forward-auth.conf", {
            "/usr/local/sbin/postern.fcgi": POSTERN,
            "/etc/postern/postern.conf": settings or place.apache_settings,
            "/var/www/html": place.root, "127.0.0.1:3000": place.service},
            suggested=True),
        modules=["proxy", "proxy_fcgi", "proxy_http", "fcgid", "headers",
                 "cgid", "dir", "mime", "env", "alias", "ssl",
                 "socache_shmcb"], root=place.root)


# Where each has a program that can be asked what it is told.
PROGRAMS = {lighttpd: ["/private/show.cgi"], nginx: ["/app/show"],
            apache: ["/private/show.cgi", "/app/show"]}
SERVERS = pytest.mark.parametrize("mount", [lighttpd, nginx, apache],
                                  ids=lambda mount: mount.__name__)


class Service(http.server.BaseHTTPRequestHandler):
    """A service behind the web server that shows the headers it is sent."""

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps(self.headers.items()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


def told(answer):
    """Who it is, by a program's answer: {"user_id", "email", "session_id"}, and
    whatever else looks like it."""
    assert answer.status == 200, answer
    text = answer.body.decode()
    if text.startswith("["):
        return {name.lower().removeprefix("x-postern-").replace("-", "_"):
                value for name, value in json.loads(text)
                if "postern" in name.lower() and name != "Postern-Email"}
    found = dict(line.split("=", 1) for line in text.splitlines())
    found.pop("CONTENT_LENGTH", None)
    assert found.pop("REMOTE_USER") == found["POSTERN_USER_ID"]
    return {name.removeprefix("POSTERN_").lower(): value
            for name, value in found.items()}


def for_www_data(path):
    """Apache's processes may read it, too."""
    if os.getuid() == 0:
        for one in [path, *(path.iterdir() if path.is_dir() else ())]:
            shutil.chown(one, "www-data", "www-data")


@pytest.fixture(scope="module")
def place(runtime, start_pool_for_session, settings):
    """What is protected, and the pool that all servers ask but Apache, whose
    processes have the same keys and database."""
    room = runtime / "forward-auth"
    (room / "root/private/deep").mkdir(parents=True)
    for name in ("index.html", "deep/file.txt"):
        (room / "root/private" / name).write_bytes(SECRET)
    (room / "root/index.html").write_text("for all")
    show = room / "root/private/show.cgi"
    show.write_text(SHOW)
    show.chmod(0o755)

    shutil.copytree(settings["key_dir"], room / "keys")
    for_www_data(room / "keys")
    own = {name: value for name, value in settings.items() if name != "user"}
    own["key_dir"] = room / "keys"
    apache_settings = write_settings(room / "apache-settings", own)
    for_www_data(apache_settings)

    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    yield SimpleNamespace(
        root=room / "root", settings=own, apache_settings=apache_settings,
        service=f"127.0.0.1:{service.server_port}",
        pool=start_pool_for_session(refresh_grace_seconds=0))
    service.shutdown()


@pytest.fixture(scope="module")
def servers(runtime, place):
    """Each server, started when it is first asked for."""
    started = {}

    def get(mount):
        if mount not in started:
            started[mount] = mount(runtime / f"forward-{mount.__name__}",
                                   place)
        return started[mount]
    yield get
    for server in started.values():
        server.stop()


@pytest.fixture
def session(place, people, sign_in):
    return Session(contract.check_signed_in(
        sign_in(place.pool, people.alice.email, people.alice.password)))


def check_shown(answer):
    assert (answer.status, answer.body) == (200, SECRET), answer
    assert answer.header("Cache-Control") == "private, no-cache"
    assert not any(name.lower().startswith(("variable-", "x-postern-",
                                            "set-cookie"))
                   for name, _ in answer.headers), answer.headers


def check_hidden(answer, status=401):
    assert answer.status == status, answer
    assert SECRET not in answer.body
    assert not any("postern-" in name.lower() for name, _ in answer.headers)


# ---- who may pass ------------------------------------------------------------

@SERVERS
def test_signed_in_people_pass(servers, mount, session):
    server = servers(mount)
    for uri in ("/private/", "/private/index.html", "/private/deep/file.txt"):
        check_shown(server.fetch("GET", uri, headers=session.cookie))
        check_shown(server.fetch("GET", uri, headers=session.bearer))
    assert server.fetch("HEAD", "/private/",
                        headers=session.cookie).status == 200
    assert server.fetch("GET", "/private/none",
                        headers=session.cookie).status == 404
    assert server.fetch("GET", "/index.html").body == b"for all"


@SERVERS
def test_from_the_sign_in_to_the_page(servers, mount, people, keys):
    """All through one server, as a browser goes."""
    server = servers(mount)
    check_hidden(server.fetch("GET", "/private/"))
    answer = server.post_json(SIGN_IN, {"email": people.bob.email,
                                        "password": people.bob.password},
                              {"x-api-key": keys.publishable})
    contract.check_signed_in(answer)
    cookies = "; ".join(f"{name}={value}" for name, (value, _)
                        in contract.cookies(answer).items())
    check_shown(server.fetch("GET", "/private/", headers={"Cookie": cookies}))


@SERVERS
def test_others_do_not(servers, mount, expired, keys, session):
    server = servers(mount)
    forged = session.access[:-10] + "A" * 10
    for headers in ({}, PRETENCE, expired.cookie, {"x-api-key": keys.secret},
                    {"Cookie": f"{ACCESS}={forged}"},
                    {"Authorization": "Basic YTpi"}):
        for uri in ("/private/", "/private/deep/file.txt", "/private/none",
                    f"/private/?sessionId={session.access}",
                    *PROGRAMS[mount]):
            answer = server.fetch("GET", uri, headers=headers)
            check_hidden(answer)
            assert answer.header("WWW-Authenticate")


@SERVERS
def test_a_session_that_ended_does_not(servers, mount, place, session):
    server = servers(mount)
    check_shown(server.fetch("GET", "/private/", headers=session.cookie))
    for _ in range(2):  # the second time it is a stolen copy
        ask(place.pool, "POST", "/v2/auth/refresh",
            {"refreshToken": session.refresh})
    check_hidden(server.fetch("GET", "/private/", headers=session.cookie))


@SERVERS
@pytest.mark.parametrize("uri", [
    "/private", "//private/", "/./private/index.html", "/x/../private/",
    "/%70rivate/index.html", "/private/%69ndex.html", "/private%2findex.html",
    "/private/deep/../index.html", "/private/deep//file.txt",
    "/private//index.html", "/private/index.html?x=/v2/auth/check",
    "/private/index.html/", "/index.html/../private/index.html",
    "/v2/auth/../../private/index.html", "/private/./index.html",
    "/PRIVATE/index.html", "/private;x/index.html", "/private/index.html%00",
    "/private\\index.html", "/v2/auth/check/../../../private/"])
def test_no_other_spelling_gets_round_it(servers, mount, uri):
    for method in ("GET", "HEAD", "POST", "OPTIONS", "PROPFIND"):
        answer = servers(mount).fetch(method, uri, headers={
            **PRETENCE, "X-Original-URL": "/", "X-Rewrite-URL": "/",
            "X-Forwarded-Uri": "/", **({"Content-Length": "0"}
                                       if method == "POST" else {})})
        assert SECRET not in answer.body
        assert answer.status != 200 or method == "OPTIONS", answer


def test_the_question_cannot_be_asked_from_outside(servers, session):
    answer = servers(nginx).fetch("GET", "/_postern_check",
                                  headers=session.cookie)
    assert answer.status == 404


# ---- who it is ---------------------------------------------------------------

@SERVERS
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_programs_are_told_who_asks(servers, mount, people, session, method):
    for uri in PROGRAMS[mount]:
        answer = servers(mount).fetch(
            method, uri, b"a=b" if method == "POST" else None,
            {**session.cookie, **PRETENCE})
        assert told(answer) == {
            "user_id": session.sub, "email": people.alice.email,
            "session_id": session.sid}
        assert not any(name.startswith("Variable-")
                       for name, _ in answer.headers)


# ---- when nobody can tell ----------------------------------------------------

@pytest.mark.parametrize("mount, status", [(lighttpd, 503), (nginx, 500)],
                         ids=["lighttpd", "nginx"])
def test_the_pool_is_away(mount, status, place, room, session):
    server = mount(room / "web", place, address=str(room / "nobody"))
    try:
        for _ in range(3):
            check_hidden(server.fetch("GET", "/private/",
                                      headers=session.cookie), status)
            check_hidden(server.fetch("GET", "/private/"), status)
    finally:
        server.stop()


@pytest.mark.parametrize("mount, status", [(lighttpd, 503), (nginx, 500)],
                         ids=["lighttpd", "nginx"])
def test_the_database_is_away(mount, status, place, room, session, start_pool):
    """And the token older than the pool, so that nobody can do without."""
    pool = start_pool(database="host=/nonexistent user=postern_service",
                      db_timeout_ms=200)
    server = mount(room / "web", place, address=pool.address)
    try:
        check_hidden(server.fetch("GET", "/private/", headers=session.cookie),
                     status)
    finally:
        server.stop()


@pytest.mark.parametrize("changes, status", [
    ({"database": "host=/nonexistent user=postern_service",
      "db_timeout_ms": 200}, 401),
    ({"workers": "none"}, 500)], ids=["database", "program"])
def test_apaches_processes_are_away(changes, status, place, room, session):
    config = write_settings(room / "settings", {**place.settings, **changes})
    for_www_data(config)
    server = apache(room / "web", place, settings=config)
    try:
        check_hidden(server.fetch("GET", "/private/", headers=session.cookie),
                     status)
    finally:
        server.stop()


# ---- TLS ---------------------------------------------------------------------

def test_apache_asks_for_the_cookie_of_tls(place, room, session):
    """Apache asks before it says HTTPS=on; the scheme has to do."""
    import http.client
    import ssl
    process.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                 "-keyout", room / "key", "-out", room / "certificate",
                 "-days", "1", "-subj", "/CN=localhost"], check=True)
    port = process.free_port()
    server = apache(room / "web", place, more=f"""
Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
    SSLEngine on
    SSLCertificateFile {room}/certificate
    SSLCertificateKeyFile {room}/key
</VirtualHost>
""")
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE

    def fetch(name):
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30,
                                                 context=anybody)
        connection.request("GET", "/private/", headers={
            "Cookie": f"{name}={session.access}"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    try:
        assert fetch(f"__Host-{ACCESS}") == (200, SECRET)
        status, body = fetch(ACCESS)
        assert status == 401 and SECRET not in body
    finally:
        server.stop()
