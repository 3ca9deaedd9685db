"""deploy/monitoring: dashboard, alerts and the way to the numbers, by the real
Prometheus."""

import functools
import json
import re
import shutil
import urllib.parse

import pytest

from harness import deploy, fastcgi, process, prometheus, tree, web
from harness.apache import Apache
from harness.lighttpd import Lighttpd
from harness.nginx import Nginx

FOLDER = tree.TOP / "deploy/monitoring"
RULES = FOLDER / "postern-rules.yml"
SOCKET = "/run/postern/postern.sock"
PORT = "127.0.0.1:9180"

# What a query says of a series: its name, and the labels it must have.
SERIES = re.compile(r"\b((?:postern_\w+|up)\b)(?:\{([^}]*)\})?")
LABEL = re.compile(r'(\w+)\s*(=~|=)\s*"([^"]*)"')

needs_prometheus = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("promtool")),
    reason="prometheus is not installed")


def dashboard():
    return json.loads((FOLDER / "postern-dashboard.json").read_text())


def queries():
    """{title of a panel: its queries}"""
    return {f"{panel['title']} ({panel['id']})":
            [target["expr"] for target in panel["targets"]]
            for panel in dashboard()["panels"] if panel["type"] != "row"}


def expressions():
    """Of the dashboard and of the rules, where comments and words end."""
    rules = re.findall(r"(?ms)^        expr: (?:>-)?(.*?)^        \w+:",
                       RULES.read_text())
    assert len(rules) == RULES.read_text().count("- alert:")
    return [query for panel in queries().values() for query in panel] + rules


# ---- form --------------------------------------------------------------------

def test_panels_stand_side_by_side():
    taken, ids = set(), []
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        ids.append(panel["id"])
        assert place["x"] + place["w"] <= 24, panel["title"]
        cells = {(x, y)
                 for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, f"{panel['title']} covers another panel"
        taken |= cells
    assert len(set(ids)) == len(ids)


def test_the_dashboard_is_bound_to_no_place():
    """Which Prometheus and which instance is chosen by who looks."""
    text = json.dumps(dashboard())
    names = {v["name"] for v in dashboard()["templating"]["list"]}
    assert set(re.findall(r"\$\{?([a-z]\w*)", text)) == names
    assert set(re.findall(r'"uid": "([^"]*)"', text)) == {
        "postern", "${datasource}"}
    for panel, exprs in queries().items():
        for expr in exprs:
            for name, labels in SERIES.findall(expr):
                assert 'instance=~"$instance"' in labels, (panel, name)


@needs_prometheus
def test_promtool_finds_the_rules_good(room):
    process.run(["promtool", "check", "rules", RULES], check=True)
    cases = (tree.TOP / "tests/e2e/postern-rules.test.yml").read_text()
    for name in re.findall(r"alert: (\w+)", RULES.read_text()):
        # One that fires, and one that does not.
        assert f"alertname: {name}\n" in cases, name
    (room / "cases.yml").write_text(cases.replace("RULES", str(RULES)))
    process.run(["promtool", "test", "rules", room / "cases.yml"], check=True)


# ---- what there is -----------------------------------------------------------

def test_every_series_is_one_of_ours(pool, people, sign_in):
    """A metric or a value of a label that we do not have is a mistake that
    nobody would ever see."""
    sign_in(pool, people.alice.email, people.alice.password)
    found = prometheus.read(fastcgi.ask(
        pool.address, "GET", "/metrics",
        REMOTE_ADDR="127.0.0.1").body.decode())
    have = {}
    for family in found.values():
        for name, labels in family.samples:
            for label, value in labels:
                have.setdefault((name, label), set()).add(value)
            have.setdefault((name, None), set())
    seen = set()
    for expr in expressions():
        assert SERIES.search(expr), expr
        for name, labels in SERIES.findall(expr):
            if name == "up":
                continue
            assert (name, None) in have, f"there is no {name}: {expr}"
            seen.add(name)
            for label, _, values in LABEL.findall(labels):
                if label in ("instance", "status"):
                    continue
                for value in values.split("|"):
                    assert value in have[name, label], (name, label, value)
    # And what there is, somebody looks at.
    families = {re.sub("_(bucket|sum|count)$", "", name) for name in seen}
    assert families == set(found)


# ---- the way to it -----------------------------------------------------------

def lighttpd(room, text):
    return Lighttpd(room / "lighttpd", text)


def nginx(room, text):
    return Nginx(room / "nginx", "", http=text)


def apache(room, text):
    return Apache(room / "apache", text, modules=["proxy", "proxy_fcgi"])


@pytest.fixture(params=[lighttpd, nginx, apache], ids=lambda p: p.__name__)
def metrics_port(request, room, pool):
    port = process.free_port()
    kind = request.param
    server = kind(room, deploy.read(
        f"monitoring/{kind.__name__}-metrics.conf",
        {SOCKET: pool.address, PORT: f"127.0.0.1:{port}"}))
    yield port
    server.stop()


def test_a_web_server_shows_the_numbers_and_nothing_else(metrics_port):
    answer = web.fetch(metrics_port, "GET", "/metrics")
    assert answer.status == 200
    assert "postern_build_info" in prometheus.read(answer.body.decode())
    for target in ("/", "/metrics/", "/metricsx", "/v2/auth/health",
                   "/.well-known/jwks.json", "/v2/auth/sign-in"):
        assert web.fetch(metrics_port, "GET", target).status in (403, 404), \
            target


class Prometheus:
    """The real one, with the configuration that we ship."""

    def __init__(self, room, target):
        self.port = process.free_port()
        (room / RULES.name).write_text(RULES.read_text())
        (room / "prometheus.yml").write_text(
            "global: { evaluation_interval: 1s }\n" + deploy.read(
                "monitoring/prometheus.yml", {
                    PORT: f"127.0.0.1:{target}",
                    "scrape_interval: 15s": "scrape_interval: 1s"}))
        self.process = process.Process([
            "prometheus", f"--config.file={room}/prometheus.yml",
            f"--storage.tsdb.path={room}/data",
            f"--web.listen-address=127.0.0.1:{self.port}"],
            room / "prometheus.log")
        self.process.wait_until_it_answers(("127.0.0.1", self.port), within=60)
        process.wait_until("Prometheus", lambda: web.fetch(
            self.port, "GET", "/-/ready").status == 200, within=60)

    def get(self, path, **query):
        answer = web.fetch(self.port, "GET", f"/api/v1/{path}?"
                           + urllib.parse.urlencode(query), timeout=60)
        body = answer.json()
        assert body["status"] == "success", (query, body)
        return body["data"]

    def ask(self, query):
        return self.get("query", query=query)["result"]


@needs_prometheus
def test_prometheus_has_an_answer_to_every_panel(start_pool, start_nginx, room,
                                                people, sign_in):
    pool, port = start_pool(), process.free_port()
    start_nginx("", http=deploy.read("monitoring/nginx-metrics.conf", {
        SOCKET: pool.address, PORT: f"127.0.0.1:{port}"}))
    server = Prometheus(room, port)
    try:
        up = 'up{job="postern"} == 1'
        process.wait_until("a scrape", lambda: server.ask(up), within=60)
        sign_in(pool, people.alice.email, people.alice.password)
        for panel, exprs in queries().items():
            for expr in exprs:
                expr = expr.replace("$__rate_interval", "60s") \
                    .replace("$instance", ".*")
                # A rate is there from the second scrape on.
                process.wait_until(f"{panel}: {expr}",
                                   functools.partial(server.ask, expr))
        rules = [rule for group in server.get("rules")["groups"]
                 for rule in group["rules"]]
        process.wait_until("all rules", lambda: all(
            rule["health"] == "ok" for group in server.get("rules")["groups"]
            for rule in group["rules"]), within=60)
        assert len(rules) == RULES.read_text().count("- alert:")
        assert server.get("alerts")["alerts"] == []
    finally:
        server.process.stop(within=60)
