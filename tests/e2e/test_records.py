"""FastCGI records that no web server sends, and good ones changed at random.

Whatever comes: a 200 is only ever the right answer to what was said, no worker
dies of it, and the next honest request is served as ever."""

import json
import os
import random
import struct
import time

import pytest

from conftest import SIGN_IN
from harness import clock, contract, fastcgi, process, tree
from harness.fastcgi import HEADER, KEEP_CONNECTION, RESPONDER, pair, record

SECONDS = 20
SEED = int(os.environ.get("POSTERN_SEED", time.time_ns() % 10**9))

pytestmark = pytest.mark.usefixtures("unharmed")


@pytest.fixture(scope="module")
def pool(start_pool_for_session, people, keys):
    return start_pool_for_session()


@pytest.fixture(scope="module")
def hasty(start_pool_for_session, people, keys):
    return start_pool_for_session(io_timeout_ms=500)


class Stream:
    """A good sign-in, as the records that a web server sends."""

    def __init__(self, person, api_key, body=None):
        self.person = person
        self.api_key = api_key
        self.body = body if body is not None else json.dumps(
            {"email": person.email, "password": person.password}).encode()
        self.params = b"".join(pair(name, value) for name, value in
                               fastcgi.request_params(
            "POST", SIGN_IN, self.body, {"Content-Type": "application/json",
                                         "X-Api-Key": api_key}))

    def begin(self, role=RESPONDER, flags=0, **more):
        return record(fastcgi.BEGIN_REQUEST,
                      struct.pack(">HB5x", role, flags), **more)

    def head(self, **more):
        return self.begin(**more) + record(fastcgi.PARAMS, self.params) + \
            record(fastcgi.PARAMS)

    def tail(self):
        return record(fastcgi.STDIN, self.body) + record(fastcgi.STDIN)

    def whole(self):
        return self.head() + self.tail()


@pytest.fixture(scope="module")
def good(people, keys):
    return Stream(people.alice, keys.publishable)


def send(pool, data, end=True):
    """Send bytes, and nothing more unless `end` is False; read to the end."""
    with fastcgi.Connection(pool.address) as connection:
        try:
            connection.send(data)
            if end:
                connection.close_sending()
        except OSError:
            pass  # it has seen enough
        return connection.answer()


def check_serves(pool, good):
    contract.check_signed_in(send(pool, good.whole()))


# ---- what is not in order ----------------------------------------------------

def with_header(data, at, **changes):
    """The bytes, with fields of the header at an offset changed."""
    names = ("version", "kind", "request_id", "size", "padding")
    fields = dict(zip(names, HEADER.unpack_from(data, at))) | changes
    changed = bytearray(data)
    HEADER.pack_into(changed, at, *fields.values())
    return bytes(changed)


def offsets(data):
    """Where the records start."""
    found, at = [], 0
    while at < len(data):
        found.append(at)
        _, _, _, size, padding = HEADER.unpack_from(data, at)
        at += 8 + size + padding
    return found


def begin_twice(good):
    return good.begin() + good.whole()


def begin_among_params(good):
    return good.begin() + record(fastcgi.PARAMS, good.params) + good.begin() + \
        record(fastcgi.PARAMS) + good.tail()


def begin_among_body(good):
    return good.head() + good.begin() + good.tail()


def params_not_ended(good):
    return good.begin() + record(fastcgi.PARAMS, good.params) + good.tail()


def params_after_body(good):
    return good.head() + record(fastcgi.STDIN, good.body) + \
        record(fastcgi.PARAMS, good.params) + record(fastcgi.STDIN)


def length_beyond_params(good):
    """A value that claims 2 GB, of which little is there."""
    lie = b"\x01" + struct.pack(">I", 0xffffffff) + b"Xy"
    return good.begin() + record(fastcgi.PARAMS, good.params + lie) + \
        record(fastcgi.PARAMS) + good.tail()


def length_beyond_by_one(good):
    return good.begin() + record(fastcgi.PARAMS, good.params +
                                 b"\x01\x03Xab") + \
        record(fastcgi.PARAMS) + good.tail()


def length_cut_off(good):
    return good.begin() + record(fastcgi.PARAMS, good.params + b"\x81\0") + \
        record(fastcgi.PARAMS) + good.tail()


def name_with_nul(good):
    return good.begin() + record(fastcgi.PARAMS, good.params +
                                 pair("HTTP_X\0Y", "z")) + \
        record(fastcgi.PARAMS) + good.tail()


def management_first(good):
    return record(fastcgi.GET_VALUES, pair("FCGI_MAX_CONNS", ""),
                  request_id=0) + good.whole()


def management_among_body(good):
    return good.head() + record(fastcgi.GET_VALUES, pair("FCGI_MPXS_CONNS", ""),
                                request_id=0) + good.tail()


def management_unknown(good):
    return record(99, b"x" * 9, request_id=0) + good.whole()


def request_of_id_zero(good):
    return b"".join(with_header(good.whole(), at, request_id=0)[at:end]
                    for at, end in record_ends(good.whole()))


def record_ends(data):
    starts = offsets(data)
    return zip(starts, starts[1:] + [len(data)])


def other_id_in_params(good):
    return with_header(good.whole(), offsets(good.whole())[1], request_id=2)


def other_id_in_body(good):
    return with_header(good.whole(), offsets(good.whole())[3], request_id=2)


def other_id_at_the_end(good):
    return with_header(good.whole(), offsets(good.whole())[-1], request_id=2)


def two_interleaved(good):
    two = with_header(good.begin(), 0, request_id=2)
    return good.begin() + two + record(fastcgi.PARAMS, good.params) + \
        record(fastcgi.PARAMS, good.params, request_id=2) + \
        record(fastcgi.PARAMS) + record(fastcgi.PARAMS, request_id=2) + \
        good.tail()


def abort_among_params(good):
    return good.begin() + record(fastcgi.PARAMS, good.params) + \
        record(fastcgi.ABORT_REQUEST) + record(fastcgi.PARAMS) + good.tail()


def abort_among_body(good):
    return good.head() + record(fastcgi.ABORT_REQUEST) + good.tail()


def begin_too_short(good):
    return record(fastcgi.BEGIN_REQUEST, b"\0\1\0") + good.whole()[16:]


def begin_too_long(good):
    return record(fastcgi.BEGIN_REQUEST, b"\0\1" + b"\0" * 14) + \
        good.whole()[16:]


def begin_empty(good):
    return record(fastcgi.BEGIN_REQUEST) + good.whole()[16:]


def padding_that_is_not_there(good):
    """Of the last record: its bytes never come."""
    return with_header(good.whole(), offsets(good.whole())[-1], padding=255)


def padding_over_records(good):
    """What it swallows is the rest of the request."""
    return with_header(good.whole(), offsets(good.whole())[2], padding=200)


def hidden_behind_the_beginning(good):
    """Records in padding that a reader forgets to skip; libfcgi does, here and
    at the parameters' end."""
    padding = record(fastcgi.PARAMS, pair("REQUEST_METHOD", "GET")) + \
        record(fastcgi.PARAMS)
    return with_header(good.begin(), 0, padding=len(padding)) + padding + \
        good.whole()[16:]


def hidden_behind_the_params(good):
    padding = record(fastcgi.STDIN, b'{"email":"x@example.test"}')
    end = with_header(record(fastcgi.PARAMS), 0, padding=len(padding))
    return good.head()[:-8] + end + padding + good.tail()


def data_record(good):
    """A filter's second stream, sent to none."""
    return good.head() + record(8, b"data") + record(8) + good.tail()


def answer_records(good):
    """As if we were the web server."""
    return record(fastcgi.STDOUT, b"Status: 200\r\n\r\n") + \
        record(fastcgi.END_REQUEST, b"\0" * 8)


def version_of_each(version):
    return [lambda good, i=i: with_header(
        good.whole(), offsets(good.whole())[i], version=version)
        for i in range(5)]


def kind_of_each(kind):
    return [lambda good, i=i: with_header(
        good.whole(), offsets(good.whole())[i], kind=kind) for i in range(5)]


def role(number):
    return lambda good: good.begin(role=number) + good.whole()[16:]


MALFORMED = {
    **{made.__name__: made for made in (
        begin_twice, begin_among_params, begin_among_body, params_not_ended,
        params_after_body, length_beyond_params, length_beyond_by_one,
        length_cut_off, name_with_nul, management_first, management_among_body,
        management_unknown, request_of_id_zero, other_id_in_params,
        other_id_in_body, other_id_at_the_end, two_interleaved,
        abort_among_params, abort_among_body, begin_too_short, begin_too_long,
        begin_empty, padding_that_is_not_there, padding_over_records,
        hidden_behind_the_beginning, hidden_behind_the_params, data_record, answer_records)},
    **{f"version_{version}_of_record_{i}": made for version in (0, 2, 255)
       for i, made in enumerate(version_of_each(version))},
    **{f"type_{kind}_of_record_{i}": made for kind in (0, 3, 6, 11, 255)
       for i, made in enumerate(kind_of_each(kind))},
    **{f"role_{number}": role(number) for number in (0, 3, 4, 257, 65535)},
}


@pytest.mark.parametrize("end", [True, False], ids=["gone", "silent"])
@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(pool, hasty, good, name, end):
    if not end:
        pool = hasty
    workers = pool.workers()
    answer = send(pool, MALFORMED[name](good), end)
    assert answer.output == b"", answer
    check_serves(pool, good)
    assert pool.workers() == workers


# ---- what is unusual, and in order -------------------------------------------

def padded(good):
    return b"".join((good.begin(),
                     record(fastcgi.PARAMS, good.params, padding=7),
                     record(fastcgi.PARAMS),
                     record(fastcgi.STDIN, good.body, padding=200),
                     record(fastcgi.STDIN, padding=3)))


def in_crumbs(good):
    return good.begin() + b"".join(
        record(fastcgi.PARAMS, good.params[i:i + 1])
        for i in range(len(good.params))) + record(fastcgi.PARAMS) + \
        b"".join(record(fastcgi.STDIN, good.body[i:i + 1])
                 for i in range(len(good.body))) + record(fastcgi.STDIN)


def of_the_highest_id(good):
    return b"".join(with_header(good.whole(), at, request_id=65535)[at:end]
                    for at, end in record_ends(good.whole()))


def long_lengths(good):
    """Four bytes of length where one would do."""
    name, value = b"HTTP_X_LONG", b"y"
    return good.begin() + record(fastcgi.PARAMS, good.params + struct.pack(
        ">II", 1 << 31 | len(name), 1 << 31 | len(value)) + name + value) + \
        record(fastcgi.PARAMS) + good.tail()


def flags_of_tomorrow(good):
    return good.begin(flags=0xff) + good.whole()[16:]


def kept(good):
    return good.begin(flags=KEEP_CONNECTION) + good.whole()[16:]


def pipelined(good):
    """A second request on the same connection is not looked at."""
    return kept(good) + good.whole()


@pytest.mark.parametrize("made", [
    padded, in_crumbs, of_the_highest_id, long_lengths, flags_of_tomorrow, kept,
    pipelined], ids=lambda made: made.__name__)
def test_unusual(pool, good, made):
    contract.check_signed_in(send(pool, made(good)))
    check_serves(pool, good)


# ---- good ones, changed ------------------------------------------------------

def flip(choose, data):
    data[choose.randrange(len(data))] ^= 1 << choose.randrange(8)


def overwrite(choose, data):
    at = choose.randrange(len(data))
    data[at:at + choose.randint(1, 4)] = choose.randbytes(choose.randint(1, 4))


def extreme(choose, data):
    data[choose.randrange(len(data))] = choose.choice((0, 1, 0x7f, 0x80, 0xff))


def cut_out(choose, data):
    at = choose.randrange(len(data))
    del data[at:at + choose.randint(1, 32)]


def cut_off(choose, data):
    del data[choose.randrange(len(data)):]


def repeat(choose, data):
    at = choose.randrange(len(data))
    data[at:at] = data[at:at + choose.randint(1, 64)]


def insert(choose, data):
    at = choose.randrange(len(data))
    data[at:at] = choose.randbytes(choose.randint(1, 32))


def in_header(choose, data):
    """A record's header, which the other changes seldom meet."""
    starts = [at for at in offsets_of_any(data)]
    at = choose.choice(starts) + choose.randrange(8)
    if at < len(data):
        data[at] = choose.choice((0, 1, 2, 4, 5, 8, 0xff, data[at] ^ 1))


def move_record(choose, data):
    starts = offsets_of_any(data) + [len(data)]
    if len(starts) < 3:
        return
    i = choose.randrange(len(starts) - 1)
    piece = data[starts[i]:starts[i + 1]]
    del data[starts[i]:starts[i + 1]]
    at = choose.choice(offsets_of_any(data) + [len(data)])
    data[at:at] = piece


def offsets_of_any(data):
    """offsets(), as far as it goes."""
    found, at = [], 0
    while at + 8 <= len(data):
        found.append(at)
        _, _, _, size, padding = HEADER.unpack_from(data, at)
        at += 8 + size + padding
    return found or [0]


CHANGES = (flip, overwrite, extreme, cut_out, cut_off, repeat, insert, in_header,
           in_header, move_record)


def changed(choose, data, changes=CHANGES):
    data = bytearray(data)
    for _ in range(choose.choice((1, 1, 1, 2, 4))):
        if data:
            choose.choice(changes)(choose, data)
    return bytes(data)


def changed_stream(choose, good):
    """Its records, or what is in them; the latter gets further."""
    where = choose.choice(("records", "params", "body"))
    if where == "records":
        return changed(choose, good.whole())
    if where == "params":
        params = changed(choose, good.params, CHANGES[:-3])
        return good.begin() + record(fastcgi.PARAMS, params) + \
            record(fastcgi.PARAMS) + good.tail()
    body = changed(choose, good.body, CHANGES[:-3])
    return Stream(good.person, good.api_key, body).whole()


def read_pairs(data):
    """A stream of name-value pairs as a list, or None."""
    pairs, at = [], 0
    try:
        while at < len(data):
            sizes = []
            for _ in range(2):
                long = data[at] & 0x80
                sizes.append(struct.unpack_from(">I", data, at)[0] & 0x7fffffff
                             if long else data[at])
                at += 4 if long else 1
            name, value = data[at:at + sizes[0]], \
                data[at + sizes[0]:at + sum(sizes)]
            at += sum(sizes)
            if at > len(data):
                return None
            pairs.append((name, value))
    except (IndexError, struct.error):
        return None
    return pairs


def read_request(data):
    """What a whole responder's request says: (pairs, body), or None.  Written
    from the specification, and not from our reader of it."""
    expected, streams, at = None, {}, 0
    while at + 8 <= len(data):
        version, kind, request_id, size, padding = HEADER.unpack_from(data, at)
        content = data[at + 8:at + 8 + size]
        at += 8 + size + padding
        if version != 1 or at > len(data):
            return None
        if expected is None:
            if kind != fastcgi.BEGIN_REQUEST or content[:2] != b"\0\1":
                return None
            expected = request_id
        elif request_id != expected:
            return None
        elif kind == fastcgi.STDIN and size == 0:
            pairs = read_pairs(streams.get(fastcgi.PARAMS, b""))
            return pairs and (pairs, streams.get(fastcgi.STDIN, b""))
        else:
            streams[kind] = streams.get(kind, b"") + content
    return None


def check_right(good, data, answer):
    """It said who it is, and it was the right one."""
    contract.check_signed_in(answer)
    pairs, body = read_request(data)
    params = dict(reversed(pairs))
    assert params[b"REQUEST_METHOD"] == b"POST"
    assert params[b"REQUEST_URI"].partition(b"?")[0].decode() == SIGN_IN
    assert params[b"HTTP_X_API_KEY"].decode().strip() == good.api_key
    credentials = json.loads(body)
    assert credentials["email"].strip().lower() == good.person.email
    assert credentials["password"] == good.person.password


@pytest.mark.timeout(400)
def test_changed_at_random(pool, good):
    """A few thousand of them; sent again with POSTERN_SEED."""
    choose = random.Random(SEED)
    sent, statuses = 0, {}
    end = clock.running() + SECONDS
    least = 1000 if not tree.SANITIZED else 100
    while sent < 6000 and (clock.running() < end or sent < least):
        data = changed_stream(choose, good)
        answer = send(pool, data)
        sent += 1
        if answer.output:
            assert answer.whole_head and answer.ended
        status = answer.status if answer.output else None
        statuses[status] = statuses.get(status, 0) + 1
        try:
            assert status in (None, 200, 400, 401, 403, 404, 405, 413, 415)
            if status == 200:
                check_right(good, data, answer)
            if sent % 50 == 0:
                check_serves(pool, good)
        except Exception:
            print(f"POSTERN_SEED={SEED}, number {sent}: {data!r}")
            raise
    print(f"POSTERN_SEED={SEED}: {sent} sent, {statuses}")
    # Enough came through to be answered: else nothing was tried but the door.
    assert statuses[200] > sent / 100 and statuses[401] > sent / 100
    process.wait_until("rest", lambda: len(pool.workers()) == 2)
    check_serves(pool, good)
