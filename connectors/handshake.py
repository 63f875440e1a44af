"""Connections that tell a handshake that failed from an answer that was lost.

Until TLS stands, no byte of a request has left. `urllib3` tells whatever TLS says in one word, before and after.
"""

from __future__ import annotations

import ssl
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError


class _Connection(HTTPSConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except (HTTPError, ssl.SSLCertVerificationError):  # said well enough already
            raise
        except TimeoutError as problem:
            raise ConnectTimeoutError(self, "The handshake took too long.") from problem
        except OSError as problem:  # ssl.SSLError is one
            raise NewConnectionError(self, "The handshake failed.") from problem


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


class Adapter(HTTPAdapter):
    """As that of `requests`; what breaks before a connection is made is a connection that was never made."""

    def init_poolmanager(self, *positional: Any, **named: Any) -> None:
        super().init_poolmanager(*positional, **named)
        manager = self.poolmanager
        manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, "https": _Pool}
