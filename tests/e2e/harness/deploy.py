"""Configurations out of deploy/, adapted to where a test has its things."""

from .tree import TOP


def read(name, changes):
    """deploy/NAME with each key of `changes` replaced by its value; a key that
    stands nowhere is a mistake of the test's."""
    text = (TOP / "deploy" / name).read_text()
    for old, new in changes.items():
        assert str(old) in text, f"deploy/{name} has no {old!r}"
        text = text.replace(str(old), str(new))
    return text
