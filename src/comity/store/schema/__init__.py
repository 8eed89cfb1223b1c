"""The MACP wire schema and Comity's own migrations, as SQL files: numbered, forward only."""
