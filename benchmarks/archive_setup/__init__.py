"""What benchmarks that have an archive send something share."""
