"""The inner loops of baselines, which numba compiles when they are first called."""
