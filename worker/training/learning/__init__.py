"""A training run: recipe, loop, state, records.

It looks at no test list.
"""
