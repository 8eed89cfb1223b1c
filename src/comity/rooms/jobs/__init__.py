"""Jobs: effects that take too long for one call; asked for in one transaction, carried out by a runner outside any."""
