"""``comity mcp --url``: a server elsewhere for hosts that know only standard input and output."""
