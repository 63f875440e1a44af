"""Benchmarks: calls per invoice, memory and time of a whole sync through real processes, counted by the sandbox."""
