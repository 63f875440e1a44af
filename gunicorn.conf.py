"""Gunicorn's settings for the web process; every value can be set from the environment.

Pages only read the database, so a few threads in a few processes are plenty. No page waits for a platform
longer than ten seconds, which the timeout leaves room for.
"""

import os

bind = os.environ.get("WEB_BIND", f"127.0.0.1:{os.environ.get('PORT', '8300')}")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 30
graceful_timeout = 20
keepalive = 5
# Recycling bounds what a leak could do; the jitter keeps the processes from restarting together.
max_requests = 5000
max_requests_jitter = 500
# Gunicorn 27 would otherwise open a control socket in the home folder.
control_socket_disable = True
# The application logs each request itself, structured and redacted.
accesslog = None
errorlog = "-"
loglevel = os.environ.get("WEB_LOG_LEVEL", "warning")
