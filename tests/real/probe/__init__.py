"""
Probe the real front ends: closed as they are printed, and open as people have them.

Reading order: `behind` (the application behind them), `sites` (one front end at a
time), `holes` (what is open, and how), then the tests.
"""
