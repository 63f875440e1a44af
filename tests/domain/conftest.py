"""Hypothesis in this folder: no deadline (test machines are shared), the same examples in every run."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("pure-rules", deadline=None, max_examples=80, derandomize=True, database=None)
settings.load_profile("pure-rules")
