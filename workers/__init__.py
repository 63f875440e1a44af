"""Where objects are wired together, and the only place that knows RQ. Jobs delegate; rules live in `sync`."""
