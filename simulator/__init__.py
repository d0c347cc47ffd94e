"""A market that is not there, behind Polygon's own HTTP contract."""
