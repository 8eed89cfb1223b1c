"""The launcher of hooks: what hosts start, which has the work done by a server that is there already."""
