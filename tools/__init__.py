"""Programs for people who work on the project: set-up, demo, checks. The product never imports them."""
