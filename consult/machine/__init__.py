"""Consult on one machine: the embedded PostgreSQL, the supervisor behind `consult up`, the demo site."""
