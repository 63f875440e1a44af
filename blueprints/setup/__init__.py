"""The page for whoever installs and runs Bookbridge."""

from blueprints.setup import page  # noqa: F401
from blueprints.setup.routes import blueprint

__all__ = ["blueprint"]
