"""What the end-to-end tests share: a database, keys, people, a pool of workers and
a web server, all real and all of this run's own."""

import os
import json
import re
import secrets
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness import fastcgi, lighttpd as web_server, process  # noqa: E402
from harness import tree  # noqa: E402
from harness.apache import Apache  # noqa: E402
from harness.nginx import Nginx  # noqa: E402
from harness.postern import Ctl, Pool, write_settings  # noqa: E402
from harness.postgres import Cluster  # noqa: E402
from harness.sessions import Session  # noqa: E402

SIGN_IN = "/v2/auth/sign-in"


def pytest_configure(config):
    # A stopped run takes down what it started.
    def stop(number, _frame):
        signal.signal(number, signal.SIG_IGN)
        pytest.exit("stopped by a signal", 130)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    config.addinivalue_line("markers", "timeout(seconds): pytest-timeout's")
    config.addinivalue_line("markers", "xdist_group(name): pytest-xdist's")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Where several processes share the tests, a file stays together, for what its
    tests share; and so do those with a quickstart, which is built but once."""
    starters = {item.path for item in items
                if "quickstart" in item.fixturenames}
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(400))
        item.add_marker(pytest.mark.xdist_group(
            "quickstart" if item.path in starters else item.path.name))


@pytest.fixture(scope="session")
def runtime():
    """A directory with a short name (sockets) that other users may enter
    (PostgreSQL's)."""
    for program in (tree.POSTERN, tree.POSTERNCTL):
        if not program.exists():
            pytest.exit(f"{program} is not there; build it, or name the build "
                        "by POSTERN_BUILD", 2)
    directory = Path(tempfile.mkdtemp(prefix="postern-", dir="/tmp"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def room(runtime):
    """A short-named directory of one test's own."""
    directory = Path(tempfile.mkdtemp(prefix="t-", dir=runtime))
    directory.chmod(0o755)
    return directory


@pytest.fixture
def own_folder():
    """A folder in memory that is nobody else's."""
    folder = Path(tempfile.mkdtemp(prefix="postern-test-", dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def bare_cluster(runtime):
    cluster = Cluster(runtime / "pg")
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def settings(runtime, bare_cluster):
    """Settings that work; a test changes a copy."""
    return {
        "database": f"{bare_cluster.conninfo} user=postern_service",
        "admin_database": f"{bare_cluster.conninfo} user=postern_admin",
        "owner_database": f"{bare_cluster.conninfo} user=postern_owner",
        "key_dir": runtime / "keys",
        "issuer": "https://sign-in.test",
        "audience": "https://app.test",
        "workers": 2,
        "sso_domains": "corp.test, Partner.test",
        "scrypt_log2_n": 10,
        "scrypt_r": 8,
        "scrypt_p": 1,
        # Longer than the machine may stand still; who tries them has others.
        "io_timeout_ms": 10000,
        "db_timeout_ms": 10000,
        "hash_deadline_ms": 20000,
        # Most tests fail on purpose, and all from one address.
        "throttle_failures": 1000,
        "throttle_address_rate": 0,
        "refusal_ms": 0,
        "log_format": "json",
        # Web servers that root starts become www-data; what root made for the
        # pool, only root can read.
        **({"listen_group": "www-data", "user": "root"}
           if os.getuid() == 0 else {}),
    }


@pytest.fixture(scope="session")
def ctl(runtime, settings):
    """posternctl on the migrated database, with a signing key made."""
    ctl = Ctl(write_settings(runtime / "settings", settings))
    ctl("migrate")
    ctl("key", "new")
    return ctl


@pytest.fixture(scope="session")
def cluster(bare_cluster, ctl):
    return bare_cluster


def furnish(directory, settings, **options):
    """A cluster of a test's own, with a person and a key in it; `postern` are the
    settings of a pool there."""
    directory.mkdir()
    directory.chmod(0o755)
    cluster = Cluster(directory / "pg", **options)
    cluster.postern = {
        **settings, "key_dir": directory / "keys",
        "database": f"{cluster.conninfo} user=postern_service",
        "admin_database": f"{cluster.conninfo} user=postern_admin",
        "owner_database": f"{cluster.conninfo} user=postern_owner"}
    ctl = Ctl(write_settings(directory / "settings", cluster.postern))
    ctl("migrate")
    ctl("key", "new")
    ctl("user", "add", "alice@example.test", "--password-stdin",
        stdin=b"a long password\n")
    cluster.api_key = ctl("api-key", "create", "--scope", "publishable")
    return cluster


@pytest.fixture
def own_cluster(room, settings):
    """A cluster that a test may stop."""
    cluster = furnish(room / "own", settings)
    yield cluster
    cluster.start()
    cluster.stop()


def add_person(ctl, cluster, name, status=None, password=True):
    email = f"{name}@example.test"
    secret = secrets.token_urlsafe(18) if password else None
    arguments = ["user", "add", email]
    if status:
        arguments += ["--status", status]
    if password:
        ctl(*arguments, "--password-stdin", stdin=f"{secret}\n".encode())
    else:
        ctl(*arguments, "--no-password")
    [(user_id,)] = cluster.ask(
        "SELECT user_id::text FROM postern.logins WHERE login_key = %s", email)
    return SimpleNamespace(email=email, password=secret, user_id=user_id)


@pytest.fixture(scope="session")
def people(ctl, cluster):
    """One person of each kind, by attribute."""
    def add(*arguments, **options):
        return add_person(ctl, cluster, *arguments, **options)
    return SimpleNamespace(
        alice=add("alice"),
        bob=add("bob"),
        unconfirmed=add("unconfirmed", "unconfirmed"),
        force_change=add("force-change", "force-change-password"),
        reset=add("reset", "reset-required"),
        external=add("external", "external-provider"),
        disabled=add("disabled", "disabled"),
        passwordless=add("passwordless", password=False))


@pytest.fixture
def new_person(ctl, cluster):
    """Make a person for one test."""
    def make(**options):
        return add_person(ctl, cluster, "p" + secrets.token_hex(6), **options)
    return make


@pytest.fixture(scope="session")
def keys(ctl, cluster, people):
    """API keys: two good ones, and one for each way to be bad."""
    def create(*arguments):
        return ctl("api-key", "create", *arguments)

    revoked = create("--scope", "publishable", "--name", "revoked")
    ctl("api-key", "revoke", key_id(revoked))
    expired = create("--scope", "publishable", "--expires-days", "1")
    cluster.ask("UPDATE postern.api_keys SET expires_at = now() - interval '1 s'"
                " WHERE key_id = %s", key_id(expired))
    publishable = create("--scope", "publishable", "--name", "front end")
    return SimpleNamespace(
        publishable=publishable,
        secret=create("--scope", "secret", "--user", people.alice.email),
        revoked=revoked, expired=expired,
        forged=publishable[:-4] + ("AAAA" if publishable[-4:] != "AAAA"
                                   else "EAAA"))


def key_id(api_key):
    """The id that posternctl calls a key by, out of its text."""
    import base64
    import uuid
    ids = base64.urlsafe_b64decode(api_key.split(".")[1] + "=")
    return str(uuid.UUID(bytes=ids[16:]))


@pytest.fixture(scope="session")
def start_pool_for_session(runtime, settings, ctl):
    pools = []

    def start(command=None, options=None, **changes):
        chosen = {**settings, **changes}
        chosen = {name: value for name, value in chosen.items()
                  if value is not None}
        pool = Pool(runtime / f"pool{len(pools)}", chosen, command,
                    **(options or {}))
        pools.append(pool)
        return pool

    start.pools = pools
    yield start
    for pool in pools:
        if pool.process.is_running():
            pool.stop()


@pytest.fixture
def start_pool(start_pool_for_session):
    """Start a pool with other settings; it is stopped after the test."""
    before = len(start_pool_for_session.pools)
    yield start_pool_for_session
    for pool in start_pool_for_session.pools[before:]:
        if pool.process.is_running():
            pool.stop()


@pytest.fixture(scope="session")
def pool(start_pool_for_session, people, keys):
    """The pool that most tests talk to."""
    return start_pool_for_session()


@pytest.fixture(scope="session")
def lighttpd(runtime, pool):
    server = web_server.Lighttpd(runtime / "lighttpd",
                                 web_server.to_socket(pool.address))
    yield server
    server.stop()


def starter(room, kind):
    """Starts web servers of one kind, for one test."""
    servers = []

    def start(backend, **options):
        server = kind(room / f"{kind.__name__.lower()}{len(servers)}", backend,
                      **options)
        servers.append(server)
        return server

    yield start
    for server in servers:
        if server.process.is_running():
            server.stop()


@pytest.fixture
def start_lighttpd(room):
    yield from starter(room, web_server.Lighttpd)


@pytest.fixture
def start_apache(room):
    yield from starter(room, Apache)


@pytest.fixture
def start_nginx(room):
    yield from starter(room, Nginx)


@pytest.fixture
def unharmed(pool):
    """Whatever a test sends: no worker dies of it, and none answers 5xx."""
    workers = pool.workers()
    assert workers
    before = len(pool.log())
    yield
    assert pool.workers() == workers
    assert not re.search(r'"status": ?5\d\d', pool.log()[before:])


@pytest.fixture(scope="session")
def sign_in(keys):
    """Sign in straight at a pool's socket."""
    def ask(pool, email, password, api_key=keys.publishable, headers=(),
            **options):
        headers = {"Content-Type": "application/json", "User-Agent": "tests",
                   **dict(headers)}
        if api_key is not None:
            headers["X-Api-Key"] = api_key
        body = json.dumps({"email": email, "password": password})
        return fastcgi.ask(pool.address, "POST", SIGN_IN, body, headers,
                           **options)
    return ask


@pytest.fixture(scope="session")
def expired(start_pool_for_session, people, sign_in):
    """A session whose access token's time is over."""
    pool = start_pool_for_session(access_token_seconds=1)
    session = Session(json.loads(
        sign_in(pool, people.alice.email, people.alice.password).body))
    pool.stop()
    time.sleep(max(0, session.claims["exp"] - time.time() + 0.1))
    return session


# ---- a browser ---------------------------------------------------------------

@pytest.fixture(scope="session")
def chrome(runtime):
    """Chromium; whoever takes it leaves one window behind."""
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        pytest.skip("chromium and chromium-driver are not installed")
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.chrome.service import Service
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu",
                     "--disable-dev-shm-usage", "--no-first-run",
                     "--disable-background-networking",
                     "--proxy-server=direct://", "--window-size=1000,800",
                     f"--user-data-dir={runtime}/chrome"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(
        service=Service(shutil.which("chromedriver"),
                        port=process.free_port()), options=options)
    driver.set_page_load_timeout(120)
    driver.set_script_timeout(120)
    yield driver
    driver.quit()


# ---- the quickstart ----------------------------------------------------------

class Quickstart:
    """deploy/quickstart in a directory of the tests' own."""

    SCRIPT = tree.TOP / "deploy/quickstart"

    def __init__(self, directory):
        self.directory = directory
        self.port = process.free_port()

    def take_build(self, other):
        """What another one has built, as if this were not the first start."""
        for name in ("src", "build"):
            shutil.copytree(other.directory / name, self.directory / name,
                            symlinks=True, copy_function=os.link)
        (self.directory / "state").mkdir(mode=0o700)

    def run(self, *arguments, within=900, check=True):
        return process.run([self.SCRIPT, *arguments, "--dir", self.directory],
                           within=within, check=check)

    def start(self, *arguments, **options):
        return self.run("start", "--port", self.port, *arguments, **options)

    def stop(self):
        return self.run("stop", within=120)

    def env(self):
        """DIR/env as a shell reads it."""
        done = process.run(
            ["bash", "-c", 'set -a; . "$1"; env -0', "-",
             self.directory / "env"], env={"PATH": "/usr/bin:/bin"},
            check=True)
        pairs = (part.split("=", 1) for part in
                 done.stdout.decode().rstrip("\0").split("\0"))
        return {name: value for name, value in pairs
                if name not in ("PATH", "PWD", "SHLVL", "_", "OLDPWD")}


@pytest.fixture(scope="session")
def quickstart(runtime):
    """A running quickstart, with cheap hashes."""
    one = Quickstart(runtime / "qs")
    one.start("--set", "scrypt_log2_n=10", "--set", "scrypt_p=1")
    yield one
    one.stop()
