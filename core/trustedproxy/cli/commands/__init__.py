"""
The subcommands: one module each, whose ``command`` is a click command.

In:  words that click has read.
Out: what is shown, by `trustedproxy.cli.screen`.
"""
