"""The tables of the first migration, one function each, as plain column types."""
