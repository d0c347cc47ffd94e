"""The Celery edge: messages in, batches scanned, records written."""
