"""Whether this process is well, for Kubernetes and Prometheus."""
