"""Under every web server the same request has the same answer."""

import pytest

from conftest import SIGN_IN
from harness import contract, deploy
from harness.apache import Apache
from harness.lighttpd import Lighttpd
from harness.nginx import Nginx

SOCKET = "/run/postern/postern.sock"


def lighttpd(directory, pool):
    return Lighttpd(directory, deploy.read(
        "lighttpd/postern.conf", {SOCKET: pool.address}))


def apache(directory, pool):
    return Apache(directory, deploy.read(
        "apache/postern.conf", {SOCKET: pool.address}),
        modules=["proxy", "proxy_fcgi"])


def nginx(directory, pool):
    return Nginx(directory, deploy.read(
        "nginx/postern.conf", {SOCKET: pool.address}))


@pytest.fixture(params=[lighttpd, apache, nginx],
                ids=lambda mount: mount.__name__)
def server(request, runtime, pool):
    server = request.param(runtime / f"mounted-{request.param.__name__}", pool)
    yield server
    server.stop()


def test_sign_in(server, people, keys):
    answer = server.post_json(SIGN_IN, {"email": people.alice.email,
                                        "password": people.alice.password},
                              {"x-api-key": keys.publishable})
    contract.check_signed_in(answer)
