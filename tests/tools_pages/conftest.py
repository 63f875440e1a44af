"""The application of the web tests, for the tools' pages."""

from tests.web.conftest import shared_site, site

__all__ = ["shared_site", "site"]
