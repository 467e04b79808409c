"""The edges of diagnosis: the only modules that talk to Prometheus, Kubernetes and exporters."""
