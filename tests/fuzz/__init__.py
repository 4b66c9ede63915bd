"""
Coverage-guided fuzzing of everything that reads what somebody else wrote.

In:  bytes, found by a fuzzer or kept in ``corpus``.
Out: the functions of `targets.TARGETS`; each raises where an invariant breaks.

``make fuzz`` runs them for long, ``make test`` for seconds, and both the corpus first,
which needs no fuzzer.
"""
