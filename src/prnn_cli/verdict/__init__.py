"""The verdict on item features: what is trained for it, the statistics of its claims, and what it leaves."""
