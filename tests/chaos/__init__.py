"""Everything at once: real processes, databases and platforms, and somebody who breaks them for a while."""
