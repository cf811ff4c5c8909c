"""Tests with several hosts: network namespaces of this machine."""
