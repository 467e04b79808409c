"""One module per serving runtime: its metric names, translated into signals."""
