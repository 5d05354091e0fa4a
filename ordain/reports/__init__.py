"""Evidence made readable for the people who must answer for a model.

A report is the same, byte for byte, whenever it is made from the same facts.
"""
