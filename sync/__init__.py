"""Carries plans out against the database and the connectors. No Flask, no RQ; clock, randomness, waiting and the
pool of calls reach it as arguments (`runtime.Runtime`), so a simulation drives exactly this code."""
