"""All that is true about a scan when no queue exists: bars in, a ranked report out."""
