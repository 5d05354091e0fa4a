"""What is watched on a served model: counts against frozen bins, and verdicts that know their n.

- `bins`: the bins of one feature and their edge rule
- `profiles`: the reference of a version, frozen when it is trained, and windows on the same bins
- `psi`: the population stability index, its noise, and the four answers
- `defaults`: the Monitor of a Deployment that declares none
- `windows`: one evaluation of a Monitor over the predictions of the ledger

Every statistic is a pure function of integer counts. Counts of disjoint rows add up, so a month is
the sum of its days and no row is read twice; sketches were refused because their error reaches a
quarter of the limit that is judged. Nothing here needs a numeric library.
"""
