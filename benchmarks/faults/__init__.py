"""Scans through a provider that misbehaves: a list of scenarios, tried by a test and by a table.

`scenarios.py` says what goes wrong and when, `trial.py` scans through it, `theme.py` prints.
"""
