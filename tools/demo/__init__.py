"""`make demo`: the whole product on one machine, walked through by a plain HTTP client."""
