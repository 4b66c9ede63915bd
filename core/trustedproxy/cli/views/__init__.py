"""
Tables and colours for terminals: one module for each thing that is shown.

In:  records.
Out: what rich prints.
"""
