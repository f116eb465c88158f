"""Faults on purpose: a fleet of real processes, what kills them, and an oracle that counts what was lost."""
