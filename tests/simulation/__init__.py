"""Seeded simulation of the real service code: virtual time, one task at a time, every fault, books as the judge."""
