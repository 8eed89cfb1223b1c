"""Tokens: who may call over the network, as what agent and in which role."""
