"""Decoding where a hostile file can do no harm: in a walled child process of its own for each song.

`client` is the worker's side, `zygote` the other; `records` is what they say to each other.
"""
