"""Rackside's conscience: incidents, questions and the simulated fleet that they run on."""
