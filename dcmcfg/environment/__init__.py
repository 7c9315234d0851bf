"""The environment of the archive's containers: files of Docker Compose, ``.env`` files and Kubernetes manifests."""
