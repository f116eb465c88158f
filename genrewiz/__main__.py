"""`python -m genrewiz`: the command line."""

from genrewiz.cli import main

main()
