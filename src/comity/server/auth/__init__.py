"""Who calls over the network, and what they may do."""
