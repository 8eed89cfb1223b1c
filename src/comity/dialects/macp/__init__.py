"""The MACP dialect: the protocol's tools as a table over operations."""
