"""Real components for the tests: Redis, PostgreSQL, the sandbox, processes, Chromium. No mocks here."""
