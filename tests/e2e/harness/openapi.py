"""src/web/openapi.json, and whether an answer is as it says.

Every answer that the other parts of the harness receive passes through
check_answer(), so that each test tries the document, too.
"""

import json
import re

import jsonschema

from .tree import TOP

DOCUMENT = json.loads((TOP / "src/web/openapi.json").read_text())
METHODS = ("GET", "POST", "PUT", "DELETE")

# On every answer; the document says so in its description.
ALWAYS = {"x-content-type-options": "nosniff"}
UNLESS_DESCRIBED = {"cache-control": "no-store"}
# On every answer of status 200, so that no web server sends a part of it.
WHOLE = {"accept-ranges": "none"}
# For browsers, wherever pages of other origins are allowed.
CORS = {"vary", "access-control-allow-origin",
        "access-control-allow-credentials", "access-control-expose-headers"}
# What is the web server's, or told by the body's description.
TRANSPORT = {"connection", "content-length", "content-type", "date", "keep-alive",
             "server", "transfer-encoding"}


FORMATS = jsonschema.FormatChecker(["uuid"])


def resolve(part):
    """What a {"$ref": "#/a/b"} stands for; anything else is itself."""
    while "$ref" in part:
        found = DOCUMENT
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def operations():
    """Each (method, path, operation) of the document."""
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method.lower() in item:
                yield method, path, item[method.lower()]


def refusals(response):
    """The refusals that a response can be: {name: body}."""
    content = resolve(response).get("content", {}).get("application/json", {})
    return {name: resolve(example)["value"]
            for name, example in content.get("examples", {}).items()}


def find_path(path):
    """The path of the document that an address falls under, or None."""
    if path in DOCUMENT["paths"]:
        return path
    for template in DOCUMENT["paths"]:
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path):
            return template
    return None


def _as_json_schema(schema):
    """OpenAPI 3.0 writes "or null" in a way of its own."""
    if isinstance(schema, list):
        return [_as_json_schema(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _as_json_schema(one) for name, one in schema.items()}
    if found.pop("nullable", False):
        return {"anyOf": [{"type": "null"}, found]}
    return found


_JSON_SCHEMAS = {"components": _as_json_schema(DOCUMENT["components"])}


def validate(value, schema):
    """`value` is as a schema of the document says."""
    jsonschema.Draft4Validator(
        {**_JSON_SCHEMAS, **_as_json_schema(schema)},
        format_checker=FORMATS).validate(value)


def _check_headers(response, answer):
    described = {name.lower(): resolve(header) for name, header in
                 response.get("headers", {}).items()}
    for name, header in described.items():
        values = answer.header_all(name)
        assert values or not header.get("required"), f"no {name}: {answer}"
        for value in values:
            if header["schema"].get("type") == "integer":
                value = int(value)
            validate(value, header["schema"])
    expected = {**ALWAYS, **(WHOLE if answer.status == 200 else {}), **{name: value for name, value in
                             UNLESS_DESCRIBED.items()
                             if name not in described}}
    for name, value in expected.items():
        assert answer.header_all(name) == [value], f"{name}: {answer.headers}"
    strange = {name.lower() for name, _ in answer.headers} \
        - set(described) - set(expected) - TRANSPORT - CORS
    assert not strange, f"not in the document: {strange}: {answer}"


def _check_body(response, answer, bodiless):
    content = response.get("content")
    if content is None:
        assert not answer.body, answer
        return
    kind = (answer.header("Content-Type") or "").partition(";")[0]
    assert kind in content, f"Content-Type {kind}"
    if bodiless:
        return
    if kind == "application/json":
        body = json.loads(answer.body)
        if "schema" in content[kind]:
            validate(body, content[kind]["schema"])
        known = refusals(response)
        if known:
            body.pop("detail", None)
            assert body in known.values(), f"not in the document: {body}"


def _check_response(response, answer, bodiless):
    response = resolve(response)
    _check_headers(response, answer)
    _check_body(response, answer, bodiless)


def _component(name):
    return DOCUMENT["components"]["responses"][name]


def _check_request(operation, sent):
    """What was accepted is something that the document lets one send."""
    described = operation.get("requestBody")
    if described is None or sent is None:
        return
    if sent or described.get("required"):
        validate(json.loads(sent),
                 described["content"]["application/json"]["schema"])


def _is(answer, name):
    """Is it one of the refusals of a component?"""
    try:
        body = json.loads(answer.body)
    except ValueError:
        return False
    return {"errorCode": body.get("errorCode"), "message": body.get("message")
            } in [{key: one[key] for key in ("errorCode", "message")}
                  for one in refusals(_component(name)).values()]


def check_answer(method, target, sent, answer):
    """An answer of Postern's is as the document says: status, headers, body; and
    what was accepted may be sent (None: what was sent is not known)."""
    path = find_path(target.partition("?")[0])
    for name in ("NoSuchAddress", "BadAddress"):
        # Of any address: the pool may have another base_path.
        if _is(answer, name):
            _check_response(_component(name), answer, bodiless=False)
            return
    if path is None:
        return
    described = {one: operation for one, at, operation in operations()
                 if at == path}
    operation = described.get("GET" if method == "HEAD" else method)
    bodiless = method == "HEAD"
    if method == "OPTIONS" and answer.status == 204:
        return  # a preflight; see test_cors.py
    if operation is None:
        _check_response(_component("WrongMethod"), answer, bodiless)
        named = set(answer.header("Allow").split(", "))
        assert named - {"HEAD", "OPTIONS"} == set(described), answer.headers
        return
    response = operation["responses"].get(str(answer.status))
    assert response, f"not in the document: {method} {path}: {answer}"
    _check_response(response, answer, bodiless)
    if answer.status < 300:
        _check_request(operation, sent)
