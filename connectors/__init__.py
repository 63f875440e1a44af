"""Everything that talks to a platform. A connector owns addresses, paging and shapes; nothing here knows the database."""
