"""A real node on this machine: real pods, in namespaces of their own. See ../../README.md."""
