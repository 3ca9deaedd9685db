"""What the interface promises: the shapes of its answers, and the words that an
errorCode can be."""

import json
import re
from http.cookies import SimpleCookie

ERROR_CODES = set("""
    USER_NOT_CONFIRMED INVALID_CREDENTIALS INCOMPLETE_CREDENTIALS
    INVALID_SESSION_TOKEN FORCE_CHANGE_PASSWORD PASSWORD_RESET_REQUIRED
    PASSWORD_EXPIRED CODE_EXPIRED SESSION_EXPIRED UNAUTHORISED
    AUTHENTICATOR_ERROR SSO_ACCOUNT FORBIDDEN METHOD_NOT_ALLOWED INVALID_INPUT
    PATH_VALIDATION_FAILED QUERY_VALIDATION_FAILED BODY_VALIDATION_FAILED
    RESPONSE_VALIDATION_FAILED INVALID_OR_MALFORMED_JSON INTERNAL_SERVER_ERROR
    CONFIGURATION_ERROR SERVICE_UNAVAILABLE NOT_FOUND CONFLICT LIMIT_EXCEEDED
    REVIEW_ALREADY_PENDING REVIEW_NOT_PENDING REVIEW_PENDING
    REVIEW_INSUFFICIENT_DOMAINS QUOTA_EXCEEDED UNSUPPORTED_ENDPOINT_VERSION
    ENDPOINT_NOT_FOUND ENDPOINT_ALREADY_EXISTS""".split())

TOKEN = re.compile(r"[A-Za-z0-9-_]+(?:\.[A-Za-z0-9-_]+)+")
REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def json_body(answer):
    """The JSON object of an answer, whose headers say that it is one."""
    kind = answer.header("Content-Type")
    assert kind and re.fullmatch(r"application/json(; *charset=utf-8)?", kind,
                                 re.IGNORECASE), f"Content-Type {kind}"
    assert answer.header("Cache-Control") == "no-store"
    assert REQUEST_ID.fullmatch(answer.header("X-Request-Id") or "")
    length = answer.header("Content-Length")
    if length is not None:
        assert int(length) == len(answer.body)
    body = json.loads(answer.body)
    assert isinstance(body, dict)
    return body


def check_signed_in(answer):
    """A 200 as promised; returns its body."""
    assert answer.status == 200, answer
    body = json_body(answer)
    assert set(body) == {"message", "accessToken", "refreshToken",
                         "expiresIn", "expiresAt"}
    assert isinstance(body["message"], str) and body["message"]
    for name in ("accessToken", "refreshToken"):
        assert TOKEN.fullmatch(body[name]), name
    for name in ("expiresIn", "expiresAt"):
        assert type(body[name]) is int, name
    kept = sorted(name.rpartition("-")[2] for name in cookies(answer))
    assert kept in (["access", "refresh"], ["access", "device", "refresh"])
    return body


def check_refused(answer, status, code):
    """An error as promised; returns its body."""
    assert answer.status == status, answer
    body = json_body(answer)
    assert set(body) <= {"success", "errorCode", "message", "detail"}
    assert body["success"] is False
    assert body["errorCode"] in ERROR_CODES
    assert body["errorCode"] == code, body
    assert isinstance(body["message"], str) and body["message"]
    assert isinstance(body.get("detail", {}), dict)
    assert not answer.header_all("Set-Cookie")
    assert (answer.header("WWW-Authenticate") is not None) == (status == 401)
    if status in (429, 503):
        assert int(answer.header("Retry-After")) > 0
    return body


def cookies(answer):
    """{name: (value, {attribute: value})} of all Set-Cookie headers."""
    found = {}
    for line in answer.header_all("Set-Cookie"):
        first, *rest = [part.strip() for part in line.split(";")]
        name, _, value = first.partition("=")
        attributes = {}
        for part in rest:
            key, _, setting = part.partition("=")
            attributes[key.lower()] = setting
        assert name not in found, f"cookie {name} is set twice"
        SimpleCookie(line)  # readable to others, too
        found[name] = (value, attributes)
    return found
