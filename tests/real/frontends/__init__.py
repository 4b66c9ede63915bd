"""
Prove the generated configurations on the real front ends.

Reading order: `recorder` (the server behind them), `judging` (what the policy makes of
what arrived), `asking` (one front end at a time), then the tests.
"""
