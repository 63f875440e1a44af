"""The sandbox: simulators of Intuit, QuickBooks Online, Autotask PSA and a mailbox.

A program of its own (`python -m sandbox`). It shares no code with Bookbridge, so that a
misreading of a platform cannot hide on both sides of the wire. README.md in this folder says what it
imitates, from which public source, and what it does not.
"""
