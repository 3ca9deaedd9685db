"""House tests: what keeps the sources in order.  They read, they run nothing
of ours but the compiler's and the checkers' view of it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
