"""Rules in Python, for what CEL cannot say.

A rule is a function of an installed package, registered under the entry points `ordain.rules`:

    def reason_codes(values):
        for index, code in enumerate(values["object"]["spec"]["codes"]):
            if not checksum_holds(code):
                yield {
                    "message": f"{code} is no reason code",
                    "path": ["spec", "codes", index],
                    "evidence": {"code": code},
                }

It is given plain JSON values of one object at a time and can do nothing but add findings to that
object. It never runs in the process of the gate: `packages` reads the files of exactly the version
that the policy names, `process` runs a copy of them in a process of its own (`child`) that has
nothing else, `answers` believes nothing of what comes back, and `asking` makes findings of it.
Whatever goes wrong on the way blocks.

The package is code that the operator of the gate installed, and is trusted as far as that: it is
contained against accidents, and against answers that depend on where and when they were given, not
against malice. See docs/decisions/0011-python-rules.md.
"""
