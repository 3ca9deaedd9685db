"""Configurations out of deploy/, adapted to where a test has its things."""

import re

from .tree import TOP


def adapt(text, changes, name):
    """`text` with each key of `changes` replaced by its value; a key that stands
    nowhere is a mistake of the test's."""
    for old, new in changes.items():
        assert str(old) in text, f"{name} has no {old!r}"
        text = text.replace(str(old), str(new))
    return text


def read(name, changes, suggested=False):
    """deploy/NAME, adapted; with all that it only suggests, if wanted: lines that
    are code behind their "#"."""
    text = (TOP / "deploy" / name).read_text()
    if suggested:
        text = re.sub(r"(?m)^( *)#(?=\S|    )", r"\1", text)
    return adapt(text, changes, f"deploy/{name}")


def command(name, beginning, changes):
    """The command of README.md or of a manual page that begins so, as one line,
    adapted."""
    text = re.sub(r" *\\e?\n *", " ", (TOP / name).read_text())
    [line] = [line.strip() for line in text.splitlines()
              if line.strip().startswith(beginning)]
    return adapt(line, changes, f"{name}: {beginning}")
