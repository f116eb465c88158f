"""Songs with a genre each: lists, spectrograms, audio files, and what is kept of them.

Reads and checks; nothing is learned here.
"""
