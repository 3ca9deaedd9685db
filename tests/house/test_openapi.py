"""src/web/openapi.json is in one piece with the code: the addresses of web/route.c
and the refusals of web/error.c, no more and no less.  (Whether real answers are as
it says is seen to in tests/e2e.)  So are the lists of addresses and refusals in
the manual."""

import json
import re

import sources

DOCUMENT = json.loads((sources.SRC / "web/openapi.json").read_text())
EXAMPLES = DOCUMENT["components"]["examples"]


def resolve(part):
    while "$ref" in part:
        found = DOCUMENT
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def operations():
    return {(method.upper(), path): operation
            for path, item in DOCUMENT["paths"].items()
            for method, operation in item.items()}


def routes():
    """The rows of web/route.c, with the paths that base_path=/v2 gives."""
    text = (sources.SRC / "web/route.c").read_text()
    [table] = re.findall(r"routes\[\] = \{\n(.*?)\n\};", text, re.S)
    return {(method, ("" if "ROUTE_AT_ROOT" in flags else "/v2") + address)
            for method, address, flags in re.findall(
                r'\{ METHOD_(\w+), "([^"]+)",([^}]*)\}', table)}


def errors():
    """The rows of web/error.c: name -> (status, body)."""
    text = (sources.SRC / "web/error.c").read_text()
    rows = re.findall(r'\[ERROR_(\w+)\] = \{\s*(\d+),\s*"(\w+)",'
                      r'((?:\s*"[^"]*")+)\s*\}', text)
    return {name: (status, {"success": False, "errorCode": code,
                            "message": "".join(re.findall('"([^"]*)"', words))})
            for name, status, code, words in rows}


def responses():
    """Each (operation, status, response) of the document."""
    for key, operation in operations().items():
        for status, response in operation["responses"].items():
            yield key, status, resolve(response)
    for name, response in DOCUMENT["components"]["responses"].items():
        for status in {errors()[example][0] for example in
                       refusals(response)}:
            yield name, status, response


def refusals(response):
    return response.get("content", {}).get("application/json", {}).get(
        "examples", {})


def test_each_address_is_described():
    assert routes()
    assert set(operations()) == routes()


def test_each_refusal_is_described():
    header = (sources.SRC / "web/error.h").read_text()
    names = set(re.findall(r"^\tERROR_(\w+),$", header, re.M))
    assert set(errors()) == names
    assert {name: example["value"] for name, example in EXAMPLES.items()} == {
        name: body for name, (_, body) in errors().items()}


def test_each_refusal_stands_at_its_status():
    for where, status, response in responses():
        for name, example in refusals(response).items():
            assert example == {"$ref": f"#/components/examples/{name}"}
            assert errors()[name][0] == status, (where, name)


def test_each_refusal_can_happen_somewhere():
    used = {name for _, _, response in responses()
            for name in refusals(response)}
    assert used == set(EXAMPLES)


def test_the_manual_lists_each_refusal():
    page = (sources.TOP / "man/postern-api.7").read_text()
    listed = re.findall(r"^\.It (\d+) Li (\w+)$", page, re.M)
    assert len(listed) == len(set(listed))
    assert set(listed) == {(status, body["errorCode"])
                           for status, body in errors().values()}


def test_the_manual_lists_each_address():
    page = (sources.TOP / "man/postern-api.7").read_text()
    listed = re.findall(r"^\.It Li ([A-Z]+) (/\S+)", page, re.M)
    assert len(listed) == len(set(listed))
    assert set(listed) == routes()


def test_codes_are_those_of_the_interface():
    codes = DOCUMENT["components"]["schemas"]["Error"]["properties"][
        "errorCode"]["enum"]
    assert {body["errorCode"] for _, body in errors().values()} <= set(codes)


def test_what_is_referred_to_is_there():
    text = json.dumps(DOCUMENT)
    for name in set(re.findall(r'"\$ref": "([^"]+)"', text)):
        resolve({"$ref": name})
    named = set(re.findall(r'"#/components/(\w+/\w+)"', text))
    for kind in ("headers", "parameters", "schemas", "examples"):
        assert {f"{kind}/{name}" for name in DOCUMENT["components"][kind]} \
            <= named, kind


def test_version_is_the_programs():
    [version] = re.findall(r"^AC_INIT\(\[postern\], \[([^]]+)\]\)",
                           (sources.TOP / "configure.ac").read_text(), re.M)
    assert DOCUMENT["info"]["version"] == version


def test_file_is_laid_out_as_json_tools_do():
    assert (sources.SRC / "web/openapi.json").read_text() == json.dumps(
        DOCUMENT, indent=2, ensure_ascii=False) + "\n"
