"""The fleet simulator: a small serving model from which every exporter's series, the objects and the logs follow."""
