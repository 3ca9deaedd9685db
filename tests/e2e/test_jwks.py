"""/.well-known/jwks.json: what is published, how long it may be kept, and that
others can verify our tokens with it."""

import base64
import hashlib
import json

import jwt
import pytest

from harness import contract, fastcgi
from harness.postern import Ctl, write_settings

JWKS = "/.well-known/jwks.json"


def thumbprint(jwk):
    """RFC 7638, by somebody else's hand."""
    members = {"EC": ("crv", "kty", "x", "y"),
               "OKP": ("crv", "kty", "x")}[jwk["kty"]]
    text = json.dumps({name: jwk[name] for name in members},
                      separators=(",", ":"), sort_keys=True)
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def fetch(pool, *arguments, **options):
    return fastcgi.ask(pool.address, "GET", JWKS, *arguments, **options)


def key_set(pool):
    answer = fetch(pool)
    assert answer.status == 200, answer
    return json.loads(answer.body)["keys"]


def test_only_public_members(pool, unharmed):
    answer = fetch(pool)
    assert answer.status == 200
    assert answer.header("Content-Type") == "application/json"
    body = json.loads(answer.body)
    assert set(body) == {"keys"}
    [jwk] = body["keys"]
    assert set(jwk) == {"kty", "crv", "x", "y", "use", "alg", "kid"}
    assert (jwk["kty"], jwk["crv"]) == ("EC", "P-256")
    assert (jwk["use"], jwk["alg"]) == ("sig", "ES256")
    assert jwk["kid"] == thumbprint(jwk)


def test_may_be_kept_for_a_while(pool, unharmed):
    answer = fetch(pool)
    assert answer.header("Cache-Control") == "public, max-age=300"
    tag = answer.header("ETag")
    assert tag.startswith('"') and tag.endswith('"')

    for known in (tag, f'W/{tag}', f'"other", {tag}', "*"):
        again = fetch(pool, headers={"If-None-Match": known})
        assert again.status == 304, known
        assert again.body == b""
        assert again.header("ETag") == tag
        assert again.header("Cache-Control") == "public, max-age=300"
        assert again.header("Content-Length") is None
    for other in ('"other"', tag.strip('"'), tag[:-2] + '"', "", '"*"'):
        again = fetch(pool, headers={"If-None-Match": other})
        assert again.status == 200, other
        assert again.body == answer.body


def test_copies_can_be_forbidden(start_pool):
    pool = start_pool(jwks_max_age_seconds=0)
    assert fetch(pool).header("Cache-Control") == "no-store"


def test_other_methods_and_places(pool, start_pool, unharmed):
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = fastcgi.ask(pool.address, method, JWKS)
        contract.check_refused(answer, 405, "METHOD_NOT_ALLOWED")
        assert answer.header("Allow") == "GET, HEAD"
    for uri in ("/v2" + JWKS, JWKS + "/", "/.well-known/"):
        contract.check_refused(fastcgi.ask(pool.address, "GET", uri), 404,
                               "ENDPOINT_NOT_FOUND")
    # The root is the root, whatever the base path is.
    assert fetch(start_pool(base_path="/login/v2")).status == 200
    assert fetch(start_pool(base_path="")).status == 200


def test_through_lighttpd(lighttpd):
    answer = lighttpd.fetch("GET", JWKS)
    assert answer.status == 200 and answer.json()["keys"]
    assert answer.header("Content-Length") == str(len(answer.body))
    again = lighttpd.fetch("GET", JWKS, headers={
        "If-None-Match": answer.header("ETag")})
    assert (again.status, again.body) == (304, b"")
    head = lighttpd.fetch("HEAD", JWKS)
    assert (head.status, head.body) == (200, b"")
    assert head.header("ETag") == answer.header("ETag")


@pytest.mark.parametrize("algorithm", ["es256", "eddsa"])
def test_others_verify_our_tokens(start_pool, start_lighttpd, settings, room,
                                  people, sign_in, algorithm):
    """With the set alone, as a service would that knows no more than its
    address."""
    from harness import lighttpd as web_server
    changes = {"key_dir": room / "keys", "signing_algorithm": algorithm}
    Ctl(write_settings(room / "settings", {**settings, **changes}))(
        "key", "new")
    pool = start_pool(**changes)
    server = start_lighttpd(web_server.to_socket(pool.address))
    token = json.loads(sign_in(pool, people.alice.email,
                               people.alice.password).body)["accessToken"]

    verifier = jwt.PyJWKClient(f"http://127.0.0.1:{server.port}{JWKS}")
    key = verifier.get_signing_key_from_jwt(token).key
    options = {"algorithms": ["ES256", "EdDSA"],
               "audience": settings["audience"],
               "issuer": settings["issuer"],
               "options": {"require": ["exp", "iat", "iss", "aud", "sub"]}}
    claims = jwt.decode(token, key, **options)
    assert claims["sub"] == people.alice.user_id
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"

    head, body, signature = token.split(".")
    flipped = "B" if signature[0] == "A" else "A"
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(f"{head}.{body}.{flipped}{signature[1:]}", key, **options)
    [jwk] = key_set(pool)
    assert jwk["kid"] == thumbprint(jwk)
    assert jwk["alg"].lower() == algorithm
