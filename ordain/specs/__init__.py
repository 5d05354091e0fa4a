"""The language: documents, where they stand, what they refer to and what they digest to.

This is the lowest room of the house and knows no other.
"""
