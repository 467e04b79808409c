"""One module per exporter: its metric names, translated into signals and facts."""
