"""The sections of Settings, Invoices, one module each."""
