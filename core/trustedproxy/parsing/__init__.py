"""
Text to values: one total parser for each form, none of which ever raises.

In:  the text of one header value, as a server handed it over.
Out: the value, or ``None`` for text that does not match its grammar.
"""
