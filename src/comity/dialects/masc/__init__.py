"""The MASC dialect: its tools, resources and prompts as tables over operations."""
