"""The configurations of deploy/ go where their heads say, on a copy of what Debian's
packages have in /etc; and the web servers take them."""

import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import process
from harness.mounts import PROGRAM
from harness.tree import POSTERN, TOP

FILES = [f"{folder}/{path.name}"
         for folder in ("apache", "lighttpd", "nginx", "monitoring")
         for path in sorted((TOP / "deploy" / folder).glob("*.conf"))]

pytestmark = pytest.mark.skipif(
    os.getuid() != 0, reason="the packages' configurations want root's log files")


def commands(text):
    """The commands of a file's head: lines of the first comment that are
    indented, but for what is to be written elsewhere."""
    head = text.split("\n\n", 1)[0]
    for line in re.findall(r"(?m)^#   (?! )(.*)$", head):
        if not line.startswith("include "):
            yield line


# What needs another to be of use.
GOES_WITH = {"lighttpd/forward-auth.conf": "lighttpd/postern.conf",
             "monitoring/lighttpd-metrics.conf": "lighttpd/postern.conf",
             "nginx/forward-auth.conf": "nginx/postern.conf"}


def move(path, etc, *others):
    """A configuration of the package's is to be read in `etc`."""
    text = path.read_text().replace("/etc/", f"{etc}/")
    for old, new in others:
        text = text.replace(old, str(new))
    path.write_text(text)


def apache(etc):
    return SimpleNamespace(
        env={"APACHE_CONFDIR": etc / "apache2", "APACHE_RUN_DIR": etc,
             "APACHE_LOG_DIR": etc, "APACHE_LOCK_DIR": etc,
             "APACHE_PID_FILE": etc / "pid", "APACHE_RUN_USER": "www-data",
             "APACHE_RUN_GROUP": "www-data"},
        check=["apache2", "-t", "-d", etc / "apache2", "-f",
               etc / "apache2/apache2.conf"])


def lighttpd(etc):
    main = etc / "lighttpd/lighttpd.conf"
    move(main, etc)
    # This command knows no other place than /etc.
    command = etc / "bin/lighty-enable-mod"
    command.parent.mkdir()
    shutil.copy("/usr/sbin/lighty-enable-mod", command)
    move(command, etc)
    return SimpleNamespace(env={}, check=["lighttpd", "-tt", "-f", main])


def nginx(etc):
    """With a site that includes what the snippets are."""
    main = etc / "nginx/nginx.conf"
    move(main, etc, ("/run/nginx.pid", etc / "pid"))
    (etc / "nginx/sites-enabled/default").unlink(missing_ok=True)
    (etc / "nginx/sites-enabled/site").write_text(
        "server { listen 127.0.0.1:8088; include snippets/postern*.conf; }")
    return SimpleNamespace(env={}, check=[
        "nginx", "-t", "-e", etc / "error.log", "-c", main])


SERVERS = {"apache": ("apache2", apache), "lighttpd": ("lighttpd", lighttpd),
           "nginx": ("nginx", nginx)}


def prepare(etc, name):
    """A copy of /etc for the web server that a file is for."""
    folder, maker = next(found for server, found in SERVERS.items()
                         if server in name)
    if not os.path.isdir(f"/etc/{folder}"):
        pytest.skip(f"{folder} is not installed")
    etc.mkdir()
    shutil.copytree(f"/etc/{folder}", etc / folder, symlinks=True)
    server = maker(etc)
    server.env = process.clean_environment(**server.env)
    server.env["PATH"] = f"{etc}/bin:{server.env['PATH']}"
    return server


def install(name, etc, env):
    """What an operator types, but for the restart."""
    text = (TOP / "deploy" / name).read_text()
    typed = list(commands(text))
    assert typed and typed[0].startswith("cp "), typed
    for line in typed:
        line = re.sub(r"^(.* && )?systemctl re\w+ \w+$",
                      lambda found: (found[1] or "")[:-4], line)
        if line:
            process.run(["sh", "-ec", line.replace("/etc/", f"{etc}/")],
                        cwd=(TOP / "deploy" / name).parent, env=env, check=True)
    installed = typed[0].split()[2].replace("/etc/", f"{etc}/")
    move(Path(installed), etc, (PROGRAM, POSTERN))


@pytest.mark.parametrize("name", FILES)
def test_installed_as_it_says(room, name):
    etc = room / "etc"
    server = prepare(etc, name)
    for one in (GOES_WITH.get(name), name):
        if one is not None:
            install(one, etc, server.env)
    done = process.run(server.check, env=server.env)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("name", ["apache/postern.conf", "lighttpd/postern.conf",
                                  "nginx/postern.conf"])
def test_a_mistake_would_be_found(room, name):
    etc = room / "etc"
    server = prepare(etc, name)
    install(name, etc, server.env)
    installed = min(etc.glob("*/*/*postern.conf"))  # not the link to it
    with installed.open("a") as file:
        file.write("no such ( thing")
    assert process.run(server.check, env=server.env).returncode != 0


def test_the_readme_says_the_same():
    """What it has people type stands in the heads, too."""
    lines = [line.strip() for line in
             (TOP / "README.md").read_text().splitlines()]
    copies = [line.split() for line in lines if line.startswith("cp deploy/")]
    assert len(copies) >= 3
    for _, source, target in copies:
        head = list(commands((TOP / source).read_text()))
        assert head[0] == f"cp {Path(source).name} {target}"
        assert all(line in lines for line in head[1:]), source
