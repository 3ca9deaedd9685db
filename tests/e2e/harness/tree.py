"""Where sources and programs are."""

import os
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("POSTERN_BUILD", TOP)).resolve()
POSTERN = BUILD / "postern.fcgi"
POSTERNCTL = BUILD / "posternctl"

# Built with AddressSanitizer?  Then all takes longer, and more memory.
SANITIZED = POSTERN.exists() and b"__asan_init" in POSTERN.read_bytes()
