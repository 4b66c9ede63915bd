"""
How others read what passes through here: servers their paths, browsers their URLs.

In:  a path, a URL or a header.
Out: where it leads.
"""
