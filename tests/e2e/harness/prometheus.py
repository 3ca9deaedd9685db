"""Prometheus's text format 0.0.4, read strictly: what a scrape would refuse, or
take for something else, is an error here."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? "
                    r"([0-9]+(?:\.[0-9]+)?)")
TYPES = ("counter", "gauge", "histogram")


class Family:
    def __init__(self, name, help_text):
        self.name, self.help = name, help_text
        self.type = None
        self.samples = {}  # (name, frozen labels) -> number

    def value(self, name=None, **labels):
        """One sample, 0 when it is not there."""
        return self.samples.get((name or self.name, frozenset(labels.items())),
                                0)

    def total(self, **labels):
        """The sum of the samples that have these labels."""
        return sum(number for (name, have), number in self.samples.items()
                   if name == self.name and labels.items() <= dict(have).items())


def read(text):
    """{name: Family}; the text as a whole must be right."""
    assert text.endswith("\n") and "\r" not in text
    families, current = {}, None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, _, help_text = line[7:].partition(" ")
            assert re.fullmatch(NAME, name) and help_text, line
            assert name not in families, f"{name} comes twice"
            current = families[name] = Family(name, help_text)
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert current is not None and name == current.name, line
            assert current.type is None and kind in TYPES, line
            current.type = kind
        else:
            add_sample(current, line)
    for family in families.values():
        check(family)
    return families


def add_sample(family, line):
    found = SAMPLE.fullmatch(line)
    assert found, f"no sample: {line}"
    assert family is not None and family.type, f"without a type: {line}"
    labels = re.findall(LABEL, found[2] or "")
    assert len(dict(labels)) == len(labels), f"a label twice: {line}"
    key = found[1], frozenset(labels)
    assert key not in family.samples, f"twice: {line}"
    family.samples[key] = float(found[found.lastindex])


def check(family):
    names = {name for name, _ in family.samples}
    if family.type == "histogram":
        assert names <= {family.name + end
                         for end in ("_bucket", "_sum", "_count")}, names
        check_histogram(family)
    else:
        assert names <= {family.name}, names
    if family.type == "counter":
        assert family.name.endswith("_total")


def check_histogram(family):
    series = {}
    for (name, labels), number in family.samples.items():
        rest = frozenset(p for p in labels if p[0] != "le")
        part = series.setdefault(rest, {"buckets": []})
        if name.endswith("_bucket"):
            bound = dict(labels)["le"]
            part["buckets"].append((float(bound.replace("+Inf", "inf")),
                                    number))
        else:
            part[name.rpartition("_")[2]] = number
    for part in series.values():
        bounds = [bound for bound, _ in part["buckets"]]
        counts = [count for _, count in part["buckets"]]
        assert bounds == sorted(set(bounds)) and bounds[-1] == float("inf")
        assert counts == sorted(counts), "buckets are cumulative"
        assert part["count"] == counts[-1]
        assert (part["sum"] > 0) <= (part["count"] > 0)
