"""Git and forges: commits, trees, signatures, approvals and proposals.

What is here speaks of commits, keys and refs, and knows no person, role or document: the policies
pass such knowledge in as data. Everything is importable without cost; cryptography loads inside
the functions that sign or verify, and what speaks HTTP when a forge with accounts is opened.
"""
