"""What of the layout all files keep.

.clang-format settles the rest, for whoever writes: its releases differ from each other,
and rows of tables stay as they were set by hand, so files are not held against what
it makes of them."""

import re

import sources

MOST_COLUMNS = 88
TAB = 8

ALL = sorted([*sources.C_FILES, *(sources.TOP / "tests").rglob("*.[ch]")])

def lines(paths):
    for path in paths:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            yield f"{path.relative_to(sources.TOP)}:{number}: {line}", line


def nothing(found):
    assert not found, "\n".join(found)


def test_blanks_at_the_end():
    nothing([where for where, line in lines(ALL)
             if line != line.rstrip() and '"' not in line])


def test_columns():
    nothing([where for where, line in lines(sources.C_FILES)
             if len(line.expandtabs(TAB)) > MOST_COLUMNS])


def test_indented_by_tabs():
    """A line that goes on with another has four blanks more; the second and later
    lines of a comment have one."""
    nothing([where for where, line in lines(ALL)
             if re.match(r" {1,3}(?![ *])|\t* +\t", line)])


def test_braces_of_functions():
    nothing([where for where, line in lines(ALL)
             if re.match(r"\w[^=]*\([^=]*\)\s*\{$", line)])


def test_names_of_functions_begin_a_line():
    nothing([f"{path.relative_to(sources.TOP)}: {found}" for path in ALL
             for found in re.findall(
                 r"^\w[\w *]*[ *](?!__attribute__)\w+\([^;{}]*\)\n(?=\{)",
                 path.read_text(), re.M)])
