"""Presentation: reports in; text, JSON, pages and messages out."""
