"""Each header reads alone, for both compilers."""

import shutil

import pytest

import sources

WARNINGS = """-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -Wold-style-definition -Wwrite-strings -Wundef -Werror""".split()


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("path", sources.HEADERS, ids=sources.name)
def test_header_compiles_alone(path, compiler, tmp_path):
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not installed")
    # Included twice: its guard must work, too.
    alone = tmp_path / "alone.c"
    alone.write_text(f'#include "{sources.name(path)}"\n' * 2)
    status, said = sources.run([compiler, *sources.compiler_flags(), *WARNINGS,
                                "-fsyntax-only", alone])
    assert status == 0, said
