"""The commands that talk to a server: `submit`, `get`, `watch` and their like.

`genrewiz/cli.py` joins them; none of them knows it.
"""
