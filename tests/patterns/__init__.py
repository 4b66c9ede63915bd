"""
Regular expressions whose cost may grow faster than the text they are matched with.

In:  the source of a package.
Out: its patterns (`source`), and what in each is tried twice over (`ambiguity`).
"""
