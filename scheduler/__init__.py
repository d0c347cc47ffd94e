"""When a scan starts and what it covers."""
