"""`python -m ordain.cli` is the command line, for processes that must not depend on PATH."""

from ordain.cli import main

main()
