"""Parallel RNNs for feature-rich session-based recommendation (Hidasi et al., RecSys 2016)."""

__version__ = "0.1.0"
