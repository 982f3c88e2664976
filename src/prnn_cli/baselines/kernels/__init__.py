"""The inner loops of baselines, compiled by numba when a baseline is fitted; nothing else imports them."""
