"""Whole scans through real Celery workers, a real Valkey and real HTTP, one table a question.

`theme.py` lists the tables; `fleet.py` starts the processes, `scans.py` asks and follows.
"""
