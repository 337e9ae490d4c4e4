"""The numbers a workspace owns: search, purchase, rent, release.

The package has the name of a standard library module that ``decimal``, ``fractions`` and
many others import. Where the project stands first on ``sys.path`` they get this package,
so it carries the standard library's own definitions in its namespace (ADR-0001).
"""

import sysconfig
from pathlib import Path

_stdlib_numbers = Path(sysconfig.get_path("stdlib")) / "numbers.py"
exec(compile(_stdlib_numbers.read_text(encoding="utf-8"), _stdlib_numbers, "exec"))  # nosec B102  ADR-0001
