"""The vault: the project's documents, to search and read (MACP v1.0, reference section 4.9)."""
