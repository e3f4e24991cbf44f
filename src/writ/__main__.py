"""`python -m writ` is `writ`."""

from writ.cli import main

main()
