"""`python -m lakehouse`: the same as the command `bangfu`."""

from lakehouse.cli import main

main()
