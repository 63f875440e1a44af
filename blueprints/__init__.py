"""Pages. Flask lives here and in `app.py`; rules live in `sync` and `domain`, looks in `templates`."""
