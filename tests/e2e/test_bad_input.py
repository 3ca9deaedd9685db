"""Whatever is sent gets a clear answer: no crash, no hang, no 5xx."""

import json
import socket
import time

import pytest

from conftest import SIGN_IN
from harness import clock, contract, fastcgi, web

pytestmark = pytest.mark.usefixtures("unharmed")

JSON = {"Content-Type": "application/json"}


@pytest.fixture(params=["fastcgi", "lighttpd"])
def send(request, pool, keys):
    """Send a request by either way in, with a good API key."""
    server = request.getfixturevalue("lighttpd") \
        if request.param == "lighttpd" else None

    def send(method, uri, body=b"", headers=JSON):
        headers = {"x-api-key": keys.publishable, **headers}
        if server is None:
            return fastcgi.ask(pool.address, method, uri, body, headers)
        # Without a length, lighttpd would answer a POST by itself.
        return server.fetch(method, uri, body, headers)
    return send


# ---- the body ----------------------------------------------------------------

GOOD = '{"email":"alice@example.test","password":"x"}'

MALFORMED = {
    "not JSON": "email=alice",
    "cut": GOOD[:-1],
    "white space only": " \n\t ",
    "text behind it": GOOD + "x",
    "second value": GOOD + GOOD,
    "NUL behind it": GOOD + "\0",
    "form feed before it": "\f" + GOOD,
    "byte order mark": "\ufeff" + GOOD,
    "line comment": GOOD + "// comment",
    "block comment": GOOD[:-1] + "/* comment */}",
    "trailing comma": GOOD[:-1] + ",}",
    "single quotes": GOOD.replace('"', "'"),
    "names without quotes": GOOD.replace('"email"', "email"),
    "NaN": GOOD[:-1] + ',"n":NaN}',
    "infinity": GOOD[:-1] + ',"n":-Infinity}',
    "True": GOOD[:-1] + ',"n":True}',
    "leading zero": GOOD[:-1] + ',"n":01}',
    "leading plus": GOOD[:-1] + ',"n":+1}',
    "bare point": GOOD[:-1] + ',"n":1.}',
    "hexadecimal": GOOD[:-1] + ',"n":0x1}',
    "unknown escape": GOOD[:-1] + ',"n":"\\x41"}',
    "cut escape": GOOD[:-1] + ',"n":"\\u12"}',
    "raw tab in a string": GOOD[:-1] + ',"n":"a\tb"}',
    "raw NUL in a string": GOOD[:-1] + ',"n":"a\0b"}',
    "bad UTF-8": GOOD.replace("alice", "al\udcffce"),
    "overlong UTF-8": GOOD.replace("alice", "al\udcc0\udc80ce"),
    "UTF-8 surrogate": GOOD.replace("alice", "al\udced\udca0\udc80ce"),
    "cut UTF-8": GOOD[:-2] + '\udce2\udc82"}',
    "UTF-16": None,
    "deeper than 32": "[" * 33 + "]" * 33,
    "very deep": "[" * 8000,
    "name twice": GOOD[:-1] + ',"password":"y"}',
    "name twice, escaped": GOOD[:-1] + ',"pass\\u0077ord":"y"}',
    "lone high surrogate": GOOD.replace('"x"', '"x\\ud800"'),
    "lone low surrogate": GOOD.replace('"x"', '"\\udc00x"'),
    "surrogates the wrong way": GOOD.replace('"x"', '"\\udc00\\ud800"'),
    "high surrogate, then text": GOOD.replace('"x"', '"\\ud800\\u0041"'),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_json_that_is_none(send, name):
    text = MALFORMED[name]
    body = GOOD.encode("utf-16") if text is None \
        else text.encode("utf-8", "surrogateescape")
    contract.check_refused(send("POST", SIGN_IN, body), 400,
                           "INVALID_OR_MALFORMED_JSON")


INCOMPLETE = {
    "{}": {"email", "password"},
    '{"email":"a@b.test"}': {"password"},
    '{"password":"x"}': {"email"},
    '{"email":null,"password":"x"}': {"email"},
    '{"email":"a@b.test","password":null}': {"password"},
    '{"email":"","password":""}': {"email", "password"},
    '{"email":"a@b.test","password":""}': {"password"},
    '{"Email":"a@b.test","PASSWORD":"x"}': {"email", "password"},
}


@pytest.mark.parametrize("body", INCOMPLETE)
def test_credentials_that_are_not_there(send, body):
    found = contract.check_refused(send("POST", SIGN_IN, body.encode()), 400,
                                   "INCOMPLETE_CREDENTIALS")
    assert set(found["detail"]) == INCOMPLETE[body]


def credentials(email="a@b.test", password="x"):
    return json.dumps({"email": email, "password": password})


INVALID = {
    # body: the members that are at fault
    "[]": {"body"},
    '"text"': {"body"},
    "1": {"body"},
    "false": {"body"},
    '{"email":1,"password":"x"}': {"email"},
    '{"email":["a@b.test"],"password":"x"}': {"email"},
    '{"email":{"a":1},"password":{}}': {"email", "password"},
    '{"email":"a@b.test","password":123456}': {"password"},
    '{"email":"a@b.test","password":true}': {"password"},
    '{"email":"a@b.test","password":["x"]}': {"password"},
    credentials(email="no address"): {"email"},
    credentials(email="a@b"): {"email"},
    credentials(email="@b.test"): {"email"},
    credentials(email="a@@b.test"): {"email"},
    credentials(email="a@b.test\n"): {"email"},
    credentials(email=" a@b.test"): {"email"},
    credentials(email="a@b..test"): {"email"},
    credentials(email="a@[127.0.0.1]"): {"email"},
    credentials(email='"a b"@b.test'): {"email"},
    credentials(email="a\u0000@b.test"): {"email"},
    credentials(email="a@b.test\u0000"): {"email"},
    credentials(email="a\u202e@b.test"): {"email"},
    credentials(email="a" * 250 + "@b.test"): {"email"},
    credentials(password="p" * 1025): {"password"},
    credentials(password="\u00e4" * 513): {"password"},
    credentials(password="right\u0000x"): {"password"},
    credentials(password="\u0000"): {"password"},
    credentials(email="x", password="\u0000"): {"email", "password"},
}


@pytest.mark.parametrize("body", INVALID, ids=[ascii(key)[:60] for key in
                                               INVALID])
def test_members_that_cannot_be_accepted(send, body):
    found = contract.check_refused(send("POST", SIGN_IN, body.encode()), 400,
                                   "BODY_VALIDATION_FAILED")
    assert set(found["detail"]) == INVALID[body]
    for reason in found["detail"].values():
        assert isinstance(reason, str) and reason


def test_null_is_no_body_either(send):
    answer = send("POST", SIGN_IN, b"null")
    assert answer.status == 400
    assert contract.json_body(answer)["errorCode"] in (
        "INVALID_OR_MALFORMED_JSON", "BODY_VALIDATION_FAILED")


def test_nothing_that_was_sent_comes_back(send):
    answer = send("POST", SIGN_IN,
                  b'{"email":"<script>@b","password":"hunter2hunter2\\u0000"}')
    assert answer.status == 400
    assert b"script" not in answer.body
    assert b"hunter2" not in answer.body


@pytest.mark.parametrize("password", [
    "{0}\u0000", "{0}\u0000x", "\u0000{0}", "{0} ", " {0}", "{0}\n", "{0}\ufffd"])
def test_password_is_not_cut_or_trimmed(send, people, password):
    email = people.alice.email
    answer = send("POST", SIGN_IN, credentials(
        email, password.format(people.alice.password)).encode())
    assert answer.status in (400, 401), answer


def test_lone_surrogates_never_match(send, ctl):
    """Two different lone surrogates both read as U+FFFD to a lenient parser."""
    email = "replacement@example.test"
    if ctl.run("user", "show", email, check=False).returncode != 0:
        ctl("user", "add", email, "--password-stdin",
            stdin="\ufffd-a-long-password\n".encode())
    good = {"email": email, "password": "\ufffd-a-long-password"}
    contract.check_signed_in(send("POST", SIGN_IN, json.dumps(good).encode()))
    for text in ("\\ud800", "\\udfff", "\\udc00"):
        body = f'{{"email":"{email}","password":"{text}-a-long-password"}}'
        contract.check_refused(send("POST", SIGN_IN, body.encode()), 400,
                               "INVALID_OR_MALFORMED_JSON")


@pytest.mark.parametrize("kind", [
    None, "", "text/plain", "application/x-www-form-urlencoded", "text/json",
    "application/jsonp", "application/json; charset=utf-16",
    "application/json;charset=latin1", "xapplication/json", "application"])
def test_body_of_another_type(send, kind):
    headers = {} if kind is None else {"Content-Type": kind}
    contract.check_refused(send("POST", SIGN_IN, GOOD.encode(), headers), 400,
                           "INVALID_INPUT")


@pytest.mark.parametrize("kind", [
    "application/json;charset=utf-8", "Application/JSON; Charset=\"UTF-8\"",
    "application/json ; foo=bar"])
def test_json_type_however_it_is_written(send, kind):
    answer = send("POST", SIGN_IN, GOOD.encode(), {"Content-Type": kind})
    contract.check_refused(answer, 401, "INVALID_CREDENTIALS")


def test_no_body(send):
    contract.check_refused(send("POST", SIGN_IN), 400, "INVALID_INPUT")


def test_largest_body(send):
    body = credentials(email="alice@example.test").encode()
    contract.check_refused(send("POST", SIGN_IN, body.ljust(16384)), 401,
                           "INVALID_CREDENTIALS")


@pytest.mark.parametrize("size", [16385, 65536, 1 << 20, 5 << 20])
def test_body_that_is_too_large(send, size):
    body = credentials(email="alice@example.test").encode()
    contract.check_refused(send("POST", SIGN_IN, body.ljust(size)), 413,
                           "INVALID_INPUT")


def test_chunked_body(lighttpd, people, keys):
    body = credentials(people.alice.email, people.alice.password).encode()
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    answer = lighttpd.fetch("POST", SIGN_IN, chunked,
                            {**JSON, "x-api-key": keys.publishable,
                             "Transfer-Encoding": "chunked"})
    contract.check_signed_in(answer)


# ---- lengths that are not what they say --------------------------------------

@pytest.fixture
def good_request(people, keys):
    body = credentials(people.alice.email, people.alice.password).encode()
    return body, {**JSON, "x-api-key": keys.publishable}


@pytest.fixture
def nothing_happened(cluster, people):
    """No session and no audit row came of what the test sent."""
    def rows():
        return cluster.ask("SELECT (SELECT count(*) FROM postern.sessions), "
                           "(SELECT count(*) FROM postern.audit_events)")
    before = rows()
    yield
    time.sleep(0.1)
    assert rows() == before


def check_not_acted_on(answer):
    """Dropped without a word, or a plain 400."""
    if answer.output:
        assert answer.status == 400
        contract.check_refused(answer, 400, "INVALID_INPUT")


@pytest.mark.usefixtures("nothing_happened")
@pytest.mark.parametrize("length", [
    "0", "1", "10000", "-1", "+5", "0x10", "1e2", "12 ", " 12", "abc",
    "99999999999999999999", "4294967360", "18446744073709551616"])
def test_lying_length(pool, good_request, length):
    body, headers = good_request
    answer = fastcgi.ask(pool.address, "POST", SIGN_IN, body, headers,
                         content_length=length)
    if answer.output:
        assert answer.status in (400, 413), answer
        contract.check_refused(answer, answer.status, "INVALID_INPUT")


@pytest.mark.parametrize("length", [None, ""])
def test_length_that_is_not_given(pool, good_request, length):
    """Some servers do not know it of a chunked body: it ends where it ends."""
    body, headers = good_request
    contract.check_signed_in(
        fastcgi.ask(pool.address, "POST", SIGN_IN, body, headers,
                    content_length=length))


def test_huge_body_without_length(pool, good_request):
    body, headers = good_request
    contract.check_refused(
        fastcgi.ask(pool.address, "POST", SIGN_IN, body.ljust(1 << 20), headers,
                    content_length=None), 413, "INVALID_INPUT")


# ---- half a request ----------------------------------------------------------

def body_cut(connection, pairs, body):
    connection.begin()
    connection.params(pairs)
    connection.stdin(body[:10], end=False)


def body_missing(connection, pairs, body):
    connection.begin()
    connection.params(pairs)


def body_whole_but_not_ended(connection, pairs, body):
    connection.begin()
    connection.params(pairs)
    connection.stdin(body, end=False)


def params_not_ended(connection, pairs, body):
    connection.begin()
    connection.params(pairs, end=False)


def params_cut(connection, pairs, body):
    connection.begin()
    connection.params(pairs[:3], end=False)
    connection.send(fastcgi.record(
        fastcgi.PARAMS, fastcgi.pair("HTTP_HOST", "x" * 100))[:30])


def begin_only(connection, pairs, body):
    connection.begin()


def begin_cut(connection, pairs, body):
    connection.send(fastcgi.record(fastcgi.BEGIN_REQUEST, b"\0" * 8)[:11])


def nothing(connection, pairs, body):
    pass


HALVES = [body_cut, body_missing, body_whole_but_not_ended, params_not_ended,
          params_cut, begin_only, begin_cut, nothing]


@pytest.mark.usefixtures("nothing_happened")
@pytest.mark.parametrize("half", HALVES, ids=lambda half: half.__name__)
def test_half_a_request_and_gone(pool, good_request, half):
    body, headers = good_request
    pairs = fastcgi.request_params("POST", SIGN_IN, body, headers)
    with fastcgi.Connection(pool.address) as connection:
        half(connection, pairs, body)
        connection.close_sending()
        check_not_acted_on(connection.answer())


@pytest.fixture(scope="module")
def hasty(start_pool_for_session, people, keys):
    return start_pool_for_session(io_timeout_ms=1000)


@pytest.mark.usefixtures("nothing_happened")
@pytest.mark.parametrize("half", HALVES, ids=lambda half: half.__name__)
def test_half_a_request_and_silence(hasty, good_request, half):
    """The peer stays: it is given up within a few of its time-outs (1 s)."""
    body, headers = good_request
    pairs = fastcgi.request_params("POST", SIGN_IN, body, headers)
    workers = hasty.workers()
    with fastcgi.Connection(hasty.address) as connection:
        watch = clock.Watch()
        half(connection, pairs, body)
        check_not_acted_on(connection.answer())
        assert watch.stop().running < 6
    assert hasty.workers() == workers
    assert '"status":5' not in hasty.log()


@pytest.mark.usefixtures("nothing_happened")
@pytest.mark.parametrize("where", ["params", "body", "end"])
def test_abort(pool, good_request, where):
    body, headers = good_request
    pairs = fastcgi.request_params("POST", SIGN_IN, body, headers)
    with fastcgi.Connection(pool.address) as connection:
        connection.begin()
        if where == "params":
            connection.params(pairs[:5], end=False)
        else:
            connection.params(pairs)
            if where == "end":
                connection.stdin(body, end=False)
        connection.abort()
        connection.close_sending()
        check_not_acted_on(connection.answer())


def test_stalled_peers_do_not_stop_the_others(pool, lighttpd, good_request):
    """Twice as many silent peers as there are workers: nobody waits for their
    time-outs (10 s)."""
    body, headers = good_request
    stalled = [fastcgi.Connection(pool.address) for _ in pool.workers() * 2]
    try:
        for connection in stalled:
            connection.begin()
        answer, took = clock.timed(lighttpd.fetch, "POST", SIGN_IN, body,
                                   headers)
        contract.check_signed_in(answer)
        assert took.running < 8
    finally:
        for connection in stalled:
            connection.socket.close()


def test_kept_connection_holds_nobody(pool, good_request):
    """A peer that asks to keep the connection gets its answer and the end."""
    body, headers = good_request
    pairs = fastcgi.request_params("POST", SIGN_IN, body, headers)
    held = [fastcgi.Connection(pool.address) for _ in pool.workers() * 2]
    try:
        for connection in held:
            connection.begin(flags=fastcgi.KEEP_CONNECTION)
            connection.params(pairs)
            connection.stdin(body)
            contract.check_signed_in(connection.answer())
        answer, took = clock.timed(fastcgi.ask, pool.address, "POST", SIGN_IN,
                                   body, headers)
        contract.check_signed_in(answer)
        assert took.running < 2
    finally:
        for connection in held:
            connection.socket.close()


# ---- no FastCGI at all -------------------------------------------------------

@pytest.mark.usefixtures("nothing_happened")
@pytest.mark.parametrize("data", [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\0" * 64,
    b"\xff" * 4096,
    fastcgi.record(fastcgi.BEGIN_REQUEST, b"\0\1\0\0\0\0\0\0", version=2),
    fastcgi.record(fastcgi.PARAMS, b"x" * 100),
    fastcgi.record(fastcgi.STDIN, b"x" * 100),
    fastcgi.record(fastcgi.BEGIN_REQUEST, b"\0\x09\0\0\0\0\0\0"),
], ids=["HTTP", "zeros", "ones", "version 2", "params first", "stdin first",
        "unknown role"])
def test_other_bytes(pool, data):
    with fastcgi.Connection(pool.address) as connection:
        connection.send(data)
        connection.close_sending()
        assert connection.answer().output == b""


@pytest.mark.usefixtures("nothing_happened")
@pytest.mark.parametrize("role", [fastcgi.AUTHORIZER, fastcgi.FILTER])
def test_other_role_is_never_let_in(pool, good_request, role):
    body, headers = good_request
    answer = fastcgi.ask(pool.address, "POST", SIGN_IN, body, headers, role)
    assert not answer.output or answer.status in (400, 401, 403), answer


@pytest.mark.usefixtures("nothing_happened")
@pytest.mark.parametrize("missing", [
    "REQUEST_METHOD", "REQUEST_URI", "REMOTE_ADDR"])
def test_missing_variable(pool, good_request, missing):
    body, headers = good_request
    answer = fastcgi.ask(pool.address, "POST", SIGN_IN, body, headers,
                         **{missing: None})
    check_not_acted_on(answer)


@pytest.mark.usefixtures("nothing_happened")
@pytest.mark.parametrize("address", ["", "localhost", "1.2.3", "1.2.3.4.5",
                                     "1.2.3.4\n5", "a" * 4000])
def test_address_that_is_none(pool, good_request, address):
    body, headers = good_request
    check_not_acted_on(fastcgi.ask(pool.address, "POST", SIGN_IN, body, headers,
                                   REMOTE_ADDR=address))


def test_two_addresses_in_one_request(pool, good_request):
    """A server configured to send REQUEST_URI twice contradicts itself."""
    body, headers = good_request
    pairs = fastcgi.request_params("POST", SIGN_IN, body, headers)
    pairs.append(("REQUEST_URI", "/v2/auth/health"))
    contract.check_refused(fastcgi.ask(pool.address, "POST", SIGN_IN, body,
                                       pairs=pairs), 400,
                           "PATH_VALIDATION_FAILED")


def test_many_and_long_variables(pool, good_request):
    body, headers = good_request
    pairs = fastcgi.request_params("POST", SIGN_IN, body, headers)
    pairs += [(f"HTTP_X_{i}", "v" * 50) for i in range(500)]
    pairs += [("HTTP_COOKIE", "c" * 20_000), ("HTTP_USER_AGENT", "\x01\xff" * 9)]
    contract.check_signed_in(fastcgi.ask(pool.address, "POST", SIGN_IN, body,
                                         pairs=pairs))


@pytest.mark.usefixtures("nothing_happened")
@pytest.mark.parametrize("more", [
    [("HTTP_COOKIE", "c" * 65536)],
    [(f"HTTP_X_{i}", "v" * 50) for i in range(2000)]], ids=["long", "many"])
def test_more_variables_than_a_server_sends(pool, good_request, more):
    body, headers = good_request
    pairs = fastcgi.request_params("POST", SIGN_IN, body, headers)
    check_not_acted_on(fastcgi.ask(pool.address, "POST", SIGN_IN, body,
                                   pairs=pairs + more))


# ---- addresses and methods ---------------------------------------------------

NOWHERE = ["/v2/authx", "/v2/auth", "/v2/auth/", "/v2/auth/sign-inx",
           "/v2/auth/sign-in/", "/v2/auth/sign-in/x", "/v2/auth/Sign-in",
           "/v2", "/v2/", "/v2/auth/sign-in%20", "/v2/auth/sign-in;x=1",
           "/v2/auth/unknown", "/v2/auth/%73ign-up", "/v2/auth/sign-%C3%AD"]

NO_PATH = ["/v2//auth/sign-in", "/v2/auth//sign-in", "/v2/auth/../auth/sign-in",
           "/v2/auth/./sign-in", "/v2/auth/sign-in/..", "/v2/auth/sign-in/.",
           "/v2/auth/%2e%2e/auth/sign-in", "/v2/auth%2fsign-in",
           "/v2/auth%2Fsign-in", "/v2/auth/sign-in%00", "/v2/auth/%00",
           "/v2/auth/sign-in%0a", "/v2/auth/%zz", "/v2/auth/sign-in%",
           "/v2/auth/sign-in%4", "/v2/auth%5csign-in", "/v2/" + "a" * 600]


def only_here(pool, method, uri, body=b"", headers=()):
    return fastcgi.ask(pool.address, method, uri, body, headers)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("uri", NOWHERE)
def test_nothing_is_there(send, uri, method):
    body = GOOD.encode() if method == "POST" else b""
    contract.check_refused(send(method, uri, body), 404, "ENDPOINT_NOT_FOUND")


@pytest.mark.parametrize("uri", NO_PATH)
def test_path_that_is_none(pool, uri):
    contract.check_refused(
        only_here(pool, "POST", uri, GOOD.encode(), JSON), 400,
        "PATH_VALIDATION_FAILED")


@pytest.mark.parametrize("uri", NO_PATH)
def test_path_that_is_none_through_lighttpd(lighttpd, uri):
    """lighttpd refuses some itself, and makes others whole."""
    answer = lighttpd.fetch("POST", uri, GOOD.encode(), JSON)
    assert answer.status in (400, 404), answer


@pytest.mark.parametrize("uri", [
    "", "v2/auth/sign-in", "*", "ftp://localhost/v2/auth/sign-in", "http://",
    "http://localhost", "http:/v2/auth/sign-in", "\\v2"])
def test_address_without_a_path(pool, uri):
    answer = only_here(pool, "POST", uri, GOOD.encode(), JSON)
    assert answer.status == 400, answer
    assert contract.json_body(answer)["errorCode"] in (
        "PATH_VALIDATION_FAILED", "INVALID_INPUT")


@pytest.mark.parametrize("uri", [
    "/v2/auth/sign%2din", "/v2/%61uth/sign-in", "/v2/auth/sign-in?",
    "/v2/auth/sign-in?x=1&y=%20", "/v2/auth/sign-in?a/../b//c",
    "http://localhost/v2/auth/sign-in"])
def test_other_spelling_of_the_address(send, uri):
    contract.check_refused(send("POST", uri, GOOD.encode()), 401,
                           "INVALID_CREDENTIALS")


@pytest.mark.parametrize("query", [
    "sessionId=", "sessionId", "sessionId=a&sessionId=a", "sessionId=%zz",
    "sessionId=" + "a" * 3000])
def test_query_that_cannot_be_read(send, query):
    contract.check_refused(send("POST", f"{SIGN_IN}?{query}", GOOD.encode()),
                           400, "QUERY_VALIDATION_FAILED")


@pytest.mark.parametrize("query", ["sessionId=%00", "sessionId=%0a", "x=%00"])
def test_query_with_controls(pool, lighttpd, keys, query):
    """lighttpd refuses them itself; what we do not read may hold anything."""
    headers = {"x-api-key": keys.publishable, **JSON}
    answer = fastcgi.ask(pool.address, "POST", f"{SIGN_IN}?{query}",
                         GOOD.encode(), headers)
    if query.startswith("sessionId"):
        contract.check_refused(answer, 400, "QUERY_VALIDATION_FAILED")
    else:
        contract.check_refused(answer, 401, "INVALID_CREDENTIALS")
    answer = lighttpd.fetch("POST", f"{SIGN_IN}?{query}", GOOD.encode(), headers)
    assert answer.status == 400


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS",
                                    "TRACE", "post", "POSTX", "\x01", "FOO"])
def test_method_that_is_not_taken(pool, method):
    answer = only_here(pool, method, SIGN_IN)
    contract.check_refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.header("Allow") == "POST"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_method_that_is_not_taken_through_lighttpd(lighttpd, method):
    answer = lighttpd.fetch(method, SIGN_IN)
    contract.check_refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.header("Allow") == "POST"


def test_head_is_like_get(lighttpd):
    answer = lighttpd.fetch("HEAD", "/v2/auth/health")
    assert (answer.status, answer.body) == (200, b"")
    answer = lighttpd.fetch("HEAD", SIGN_IN)
    assert (answer.status, answer.body) == (405, b"")
    answer = lighttpd.fetch("POST", "/v2/auth/health", b"{}", JSON)
    contract.check_refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.header("Allow") == "GET, HEAD"


@pytest.mark.parametrize("cookie", [
    "postern-access=a; postern-access=b",
    "postern-access=a, postern-access=b", "=", ";;;", "a" * 7000,
    "__Host-postern-access=a; __Host-postern-access=a; postern-refresh"])
def test_cookies_that_are_no_use(send, good_request, cookie):
    body, headers = good_request
    contract.check_signed_in(
        send("POST", SIGN_IN, body, {**headers, "Cookie": cookie}))


@pytest.mark.parametrize("name", ["x-api-key", "Authorization", "Content-Type"])
def test_very_long_header(pool, good_request, name):
    body, headers = good_request
    headers = {n: v for n, v in headers.items() if n.lower() != name.lower()}
    answer = fastcgi.ask(pool.address, "POST", SIGN_IN, body,
                         {**headers, name: "Bearer " + "x" * 50_000})
    assert answer.status in (400, 401), answer


def test_pipelined_and_broken_http(lighttpd):
    """What lighttpd makes of it must not reach us as something else."""
    with socket.create_connection(("127.0.0.1", lighttpd.port), 10) as raw:
        raw.sendall(b"POST " + SIGN_IN.encode() + b" HTTP/1.1\r\nHost: x\r\n"
                    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                    b"0\r\n\r\n")
        raw.shutdown(socket.SHUT_WR)
        answer = raw.recv(65536)
    assert not answer or b" 4" in answer.split(b"\r\n")[0]
    assert web.fetch(lighttpd.port, "GET", "/v2/auth/health").status == 200
