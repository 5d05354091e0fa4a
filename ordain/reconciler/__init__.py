"""Git on one side, production on the other: observe, compare, plan, apply.

Plan and apply walk the same list of stages, so what was shown is what happens.
"""
