"""Everything that talks to a platform: addresses, paging and shapes. Nothing here knows the database."""
