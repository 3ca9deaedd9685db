"""POST /v2/auth/sign-in as its contract promises it, by every way in."""

import base64
import json
import time

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import \
    encode_dss_signature

from conftest import SIGN_IN
from harness import contract, fastcgi, lighttpd as web_server, process, tree


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verify(token, key_dir):
    """Check an ES256 token with the key directory's key; header and claims."""
    head, claims, signature = token.split(".")
    header = json.loads(unpadded(head))
    pem = (key_dir / f"{header['kid']}.pem").read_bytes()
    key = serialization.load_pem_private_key(pem, None).public_key()
    raw = unpadded(signature)
    assert len(raw) == 64
    key.verify(encode_dss_signature(int.from_bytes(raw[:32], "big"),
                                    int.from_bytes(raw[32:], "big")),
               f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    return header, json.loads(unpadded(claims))


def request(person, **more):
    return json.dumps({"email": person.email, "password": person.password,
                       **more}).encode()


# ---- 200 ---------------------------------------------------------------------

def test_body_is_as_promised(pool, people, sign_in):
    body = contract.check_signed_in(
        sign_in(pool, people.alice.email, people.alice.password))
    # 15 minutes, at most a twentieth less.
    assert 855 <= body["expiresIn"] <= 900
    assert abs(body["expiresAt"] - body["expiresIn"] - time.time()) < 10


def test_access_token_is_verified_by_the_published_key(
        pool, people, sign_in, settings):
    before = int(time.time())
    body = contract.check_signed_in(
        sign_in(pool, people.alice.email, people.alice.password))
    header, claims = verify(body["accessToken"], settings["key_dir"])
    assert header["alg"] == "ES256"
    assert header["typ"] == "at+jwt"
    assert claims["iss"] == settings["issuer"]
    assert claims["aud"] == settings["audience"]
    assert claims["sub"] == people.alice.user_id
    assert claims["email"] == people.alice.email
    assert claims["amr"] == ["pwd"]
    assert before <= claims["iat"] <= time.time()
    assert claims["exp"] - claims["iat"] == body["expiresIn"]
    assert claims["exp"] == body["expiresAt"]
    assert claims["jti"] and claims["sid"] and claims["jti"] != claims["sid"]
    assert set(claims) == {"iss", "aud", "sub", "sid", "iat", "exp", "jti",
                           "amr", "email"}


def test_a_changed_token_is_not_verified(pool, people, sign_in, settings):
    token = json.loads(sign_in(pool, people.alice.email,
                               people.alice.password).body)["accessToken"]
    head, claims, signature = token.split(".")
    other = json.loads(unpadded(claims))
    other["email"] = people.bob.email
    changed = base64.urlsafe_b64encode(json.dumps(other).encode())
    with pytest.raises(InvalidSignature):
        verify(f"{head}.{changed.decode().rstrip('=')}.{signature}",
               settings["key_dir"])


def test_refresh_token_is_kept_as_a_digest_only(pool, people, sign_in, cluster,
                                                settings):
    import hashlib
    body = contract.check_signed_in(
        sign_in(pool, people.alice.email, people.alice.password))
    _, claims = verify(body["accessToken"], settings["key_dir"])
    [(digest, generation, address, device, ended)] = cluster.ask(
        "SELECT token_hash, generation, address, device, ended_at "
        "FROM postern.sessions WHERE user_id = %s AND sid = %s",
        people.alice.user_id, claims["sid"])
    assert bytes(digest) == hashlib.sha256(
        body["refreshToken"].encode()).digest()
    assert (generation, address, device, ended) == (0, "192.0.2.7", "tests",
                                                    None)


def test_each_sign_in_is_a_session_of_its_own(pool, people, sign_in):
    bodies = [contract.check_signed_in(
        sign_in(pool, people.alice.email, people.alice.password))
        for _ in range(3)]
    for name in ("accessToken", "refreshToken"):
        assert len({body[name] for body in bodies}) == 3


@pytest.mark.parametrize("change", [str.upper, str.title,
                                    lambda email: email.swapcase()])
def test_address_is_the_same_in_either_case(pool, people, sign_in, change):
    contract.check_signed_in(sign_in(pool, change(people.alice.email),
                                     people.alice.password))


def test_members_beyond_the_contract_are_passed_over(lighttpd, people, keys):
    answer = lighttpd.fetch("POST", SIGN_IN, request(people.alice, more=[{}]),
                            {"Content-Type": "application/json; charset=UTF-8",
                             "x-api-key": keys.publishable})
    contract.check_signed_in(answer)


def test_last_sign_in_is_noted(pool, people, sign_in, cluster):
    sql = "SELECT last_sign_in_at FROM postern.users WHERE user_id = %s"
    cluster.ask("UPDATE postern.users SET last_sign_in_at = NULL "
                "WHERE user_id = %s", people.bob.user_id)
    contract.check_signed_in(
        sign_in(pool, people.bob.email, people.bob.password))
    [(noted,)] = cluster.ask(sql, people.bob.user_id)
    assert abs(noted.timestamp() - time.time()) < 10


def test_unicode_password_in_either_normal_form(ctl, pool, sign_in, cluster,
                                                keys):
    """Two keyboards write the same password in different code points."""
    email = "unicode@example.test"
    composed, decomposed = "p\u00e4ssw\u00f6rt \u0041\u030a",  \
        "pa\u0308sswo\u0308rt \u00c5"
    ctl("user", "add", email, "--password-stdin",
        stdin=composed.encode() + b"\n")
    contract.check_signed_in(sign_in(pool, email, composed))
    contract.check_signed_in(sign_in(pool, email, decomposed))
    contract.check_refused(sign_in(pool, email, "passwort A"), 401,
                           "INVALID_CREDENTIALS")


# ---- every way in ------------------------------------------------------------

def headers(keys):
    return {"Content-Type": "application/json", "x-api-key": keys.publishable}


def cgi_variables(keys, body, **more):
    return process.clean_environment(
        REQUEST_METHOD="POST", REQUEST_URI=SIGN_IN, SCRIPT_NAME=SIGN_IN,
        SERVER_PROTOCOL="HTTP/1.1", GATEWAY_INTERFACE="CGI/1.1",
        REMOTE_ADDR="192.0.2.8", CONTENT_TYPE="application/json",
        CONTENT_LENGTH=len(body), HTTP_X_API_KEY=keys.publishable, **more)


def check_200_and_401(ask, person):
    """The contract's two answers through one way in."""
    contract.check_signed_in(ask(request(person)))
    wrong = json.dumps({"email": person.email,
                        "password": "not " + person.password}).encode()
    contract.check_refused(ask(wrong), 401, "INVALID_CREDENTIALS")


def test_through_lighttpd(lighttpd, people, keys):
    check_200_and_401(lambda body: lighttpd.fetch(
        "POST", SIGN_IN, body, headers(keys)), people.alice)


def test_through_cgi_fcgi(pool, people, keys):
    def ask(body):
        done = process.run(
            ["cgi-fcgi", "-bind", "-connect", pool.address], stdin=body,
            env=cgi_variables(keys, body), check=True)
        assert not done.stderr
        return fastcgi.Answer(done.stdout)
    check_200_and_401(ask, people.alice)


def test_as_plain_cgi(pool, people, keys):
    def ask(body):
        done = process.run(
            [tree.POSTERN], stdin=body, check=True,
            env=cgi_variables(keys, body, POSTERN_CONFIG=pool.settings_file))
        return fastcgi.Answer(done.stdout)
    check_200_and_401(ask, people.alice)


@pytest.mark.parametrize("command", [
    ["spawn-fcgi", "-n", "-s", "{sock}", "-M", "0660", "--", tree.POSTERN,
     "--config", "{settings}"],
    ["spawn-fcgi", "-n", "-F", "1", "-s", "{sock}", "--", tree.POSTERN,
     "--config", "{settings}"],
    ["systemd-socket-activate", "-l", "{sock}", tree.POSTERN, "--config",
     "{settings}"],
], ids=["spawn-fcgi-n", "spawn-fcgi-n-F1", "systemd-socket-activate"])
def test_over_an_inherited_socket(start_pool, people, keys, command):
    import shutil
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    pool = start_pool(command)
    check_200_and_401(lambda body: fastcgi.ask(
        pool.address, "POST", SIGN_IN, body, headers(keys)), people.alice)
    assert pool.stop() == 0


def test_under_spawn_fcgi_in_the_background(room, settings, people, keys):
    """spawn-fcgi leaves one process behind, whose id is in its file."""
    import os
    import signal

    from harness.postern import write_settings
    config = write_settings(room / "settings",
                            {**settings, "log": room / "log"})
    address, pid_file = str(room / "sock"), room / "pid"
    process.run(["spawn-fcgi", "-s", address, "-P", pid_file, "-F", "1", "--",
                 tree.POSTERN, "--config", config], check=True)
    pid = int(pid_file.read_text())
    try:
        check_200_and_401(lambda body: fastcgi.ask(
            address, "POST", SIGN_IN, body, headers(keys)), people.alice)
        workers = process.children(pid)
        assert workers
    finally:
        os.kill(pid, signal.SIGTERM)
    process.wait_until("the pool's end", lambda: not any(
        map(process.is_alive, [pid, *workers])))


def test_over_tcp_on_loopback(start_pool, settings, people, keys, room):
    from harness.postern import write_settings
    port = process.free_port()
    config = write_settings(room / "settings", settings)
    started = process.Process([tree.POSTERN, "--config", config, "--listen",
                               f"127.0.0.1:{port}"], room / "log")
    try:
        address = ("127.0.0.1", port)
        started.wait_until_it_answers(address)
        check_200_and_401(lambda body: fastcgi.ask(
            address, "POST", SIGN_IN, body, headers(keys)), people.alice)
    finally:
        assert started.stop() == 0


def test_started_by_lighttpd(start_lighttpd, pool, people, keys, room):
    server = start_lighttpd(web_server.to_program(
        tree.POSTERN, room / "fcgi",
        {"POSTERN_CONFIG": pool.settings_file}))
    check_200_and_401(lambda body: server.fetch(
        "POST", SIGN_IN, body, headers(keys)), people.alice)
    pools = process.children(server.process.pid)
    workers = [worker for one in pools for worker in process.children(one)]
    assert workers
    server.stop()
    process.wait_until("the workers' end",
                       lambda: not any(map(process.is_alive, workers)))


# ---- cookies -----------------------------------------------------------------

def cookie_settings(answer):
    return {name: (value, attributes) for name, (value, attributes)
            in contract.cookies(answer).items()}


@pytest.mark.parametrize("mode, https, secure", [
    (None, False, False), (None, True, True),
    ("auto", False, False), ("auto", True, True),
    ("always", False, True), ("always", True, True),
    ("never", False, False), ("never", True, False),
])
def test_cookies(start_pool, pool, people, sign_in, mode, https, secure):
    used = start_pool(secure_cookies=mode) if mode else pool
    answer = sign_in(used, people.alice.email, people.alice.password,
                     https=https)
    body = contract.check_signed_in(answer)
    found = contract.cookies(answer)
    access, refresh, device = (
        "__Host-postern-access", "__Secure-postern-refresh",
        "__Host-postern-device") if secure else (
        "postern-access", "postern-refresh", "postern-device")
    assert set(found) == {access, refresh, device}
    assert found[access][0] == body["accessToken"]
    assert found[refresh][0] == body["refreshToken"]
    for name, path in ((access, "/"), (refresh, "/v2/auth"), (device, "/")):
        attributes = found[name][1]
        assert attributes["path"] == path
        assert "httponly" in attributes
        assert attributes["samesite"] == "Lax"
        assert ("secure" in attributes) == secure
        assert "domain" not in attributes
    assert int(found[access][1]["max-age"]) == body["expiresIn"]
    # 14 days without use end a session.
    assert int(found[refresh][1]["max-age"]) == 14 * 86400


def test_scheme_says_https_too(pool, people, sign_in):
    answer = sign_in(pool, people.alice.email, people.alice.password,
                     REQUEST_SCHEME="https")
    assert "__Host-postern-access" in contract.cookies(answer)


def test_headers_fit_the_smallest_buffer(pool, people, sign_in):
    """nginx reads a response's head into 4 KB."""
    answer = sign_in(pool, people.alice.email, people.alice.password,
                     https=True)
    assert answer.output.index(b"\r\n\r\n") < 4096


# The longest that the settings take: a name of 253 characters with scheme and port,
# a path of 128, and texts of 255 bytes as JSON writes them.
LABELS = ".".join(["l" * 63, "m" * 63, "n" * 63, "o" * 61])
ORIGIN = f"https://{LABELS}:65535"
BASE = "/" + "b" * 127
LONGEST = {
    "base_path": BASE, "allowed_origins": ORIGIN, "issuer": "i" + '"' * 127,
    "audience": "\\" * 127 + "a", "session_seconds": 315360000,
    "session_idle_seconds": 315360000, "device_cookie_days": 3650,
    "access_token_seconds": 3600,
}
# 254 bytes, of which none but "@" and dots may stand for itself in a header.
LONG_EMAIL = "\u00e4" * 32 + "@" + ".".join(["\u00f6" * 24] * 3
                                            + ["\u00fc" * 21])


def test_the_longest_headers_fit_it_too(start_pool, start_nginx, ctl, keys):
    """Whatever settings, address and redirectUrl: no answer is too long for nginx as
    it comes, or for us."""
    assert [len(one.encode()) for one in (ORIGIN, BASE, LONG_EMAIL)] == \
        [267, 128, 254]
    ctl("user", "add", LONG_EMAIL, "--password-stdin",
        stdin=b"a long password\n")
    pool = start_pool(**LONGEST)
    server = start_nginx(f"""location / {{
            include /etc/nginx/fastcgi_params;
            fastcgi_param HTTPS on;
            fastcgi_buffer_size 4k;
            fastcgi_buffers 8 4k;
            fastcgi_pass unix:{pool.address};
        }}""")
    page = {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}

    def fetch(method, path, status, body=None, **headers):
        content = b"" if body is None else json.dumps(body).encode()
        headers = {**page, "Content-Type": "application/json",
                   **{name.replace("_", "-"): value
                      for name, value in headers.items()}}
        straight = fastcgi.ask(pool.address, method, BASE + path, content,
                               headers, https=True)
        assert straight.status == status, straight
        assert straight.output.index(b"\r\n\r\n") < 4096 - 8  # a record's head
        through = server.fetch(method, BASE + path, content, headers)
        assert through.status == status, through
        assert through.header("Access-Control-Allow-Origin") == ORIGIN
        return through

    who = {"email": LONG_EMAIL, "password": "a long password"}
    answer = fetch("POST", "/auth/sign-in", 200, who, X_Api_Key=keys.publishable)
    assert len(answer.header_all("Set-Cookie")) == 3
    tokens = answer.json()
    bearer = {"Authorization": f"Bearer {tokens['accessToken']}"}
    refresh = {"refreshToken": tokens["refreshToken"]}
    fetch("POST", "/auth/refresh", 200, refresh)
    url = ORIGIN + "/" + "u" * (900 - 268)
    answer = fetch("PUT", "/auth/session", 303, {**refresh, "redirectUrl": url},
                   **bearer)
    assert answer.header("Location") == url
    assert len(answer.header_all("Set-Cookie")) == 2
    answer = fetch("GET", "/auth/check", 204, **bearer)
    assert len(answer.header("X-Postern-Email")) == 6 * 32 + 1 + 6 * 93 + 3
    fetch("OPTIONS", "/auth/session", 204, Access_Control_Request_Method="PUT")
    fetch("POST", "/auth/sign-out", 204, **bearer)


def test_other_base_path(start_pool, people, keys):
    pool = start_pool(base_path="/login/v2")
    answer = fastcgi.ask(pool.address, "POST", "/login" + SIGN_IN,
                         request(people.alice), headers(keys))
    contract.check_signed_in(answer)
    assert contract.cookies(answer)["postern-refresh"][1]["path"] == \
        "/login/v2/auth"
    contract.check_refused(
        fastcgi.ask(pool.address, "POST", SIGN_IN, request(people.alice),
                    headers(keys)), 404, "ENDPOINT_NOT_FOUND")
