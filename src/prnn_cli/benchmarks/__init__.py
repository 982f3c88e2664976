"""What `prnn bench` times, and the floors beside it."""
