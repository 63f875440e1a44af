"""What a sandbox world can be filled with: a generated service provider, or real invoices from CSV files."""
