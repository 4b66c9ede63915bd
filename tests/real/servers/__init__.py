"""
Prove the project on real front ends and real servers, over real sockets.

Reading order: `processes` (start and stop), `client` (say exactly these bytes),
`servers`, `fronts` and `applications/` (the three tables), `farm` (all of it
running), `pages` (the generated docs), then the tests.
"""
