"""Tests of the edge: the real program, real HTTP, real PostgreSQL."""
