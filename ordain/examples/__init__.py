"""Estates that run, and ship in the wheel.

`credit-union` is synthetic and seeded, and says so; `clinic` is the breast-cancer data that ships
with scikit-learn. `ordain init --example NAME` copies one and adds what must differ per estate: the
keys and the environment lock.
"""
