"""The simulated Autotask PSA: zone discovery and the REST API over databases kept in the sandbox's store."""

from sandbox.autotask.routes import blueprint

__all__ = ["blueprint"]
