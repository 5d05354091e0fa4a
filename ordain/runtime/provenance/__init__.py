"""Where an artifact came from, said in the formats that other tools read, and signed.

Three documents of other people's making, because an examiner has readers for them and none for
ours: an in-toto statement with SLSA provenance (what went in, who made it, when), a CycloneDX bill
of materials for machine learning (what it is made of, what was measured), and the DSSE envelope
that carries the signature of both.
"""
