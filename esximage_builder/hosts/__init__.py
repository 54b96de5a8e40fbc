"""Hosts: what an image would do to one, decided on values only."""
