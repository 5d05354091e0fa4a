"""What is wrong with this machine, this clone and this home, and how to mend each of it.

| module | what it looks at |
|---|---|
| `checks` | the forms: a check, its answer, and the surroundings that all of them look at |
| `machine` | the interpreter, packages, the libraries that decide speed, git |
| `checkout` | the repository, the estate in it, its branch, hooks, schemas, packs, remote |
| `signing` | whether what is committed here will be signed by somebody who is known |
| `stores` | the home: state, trust, ledger, the reconciler's key, and the clock |
| `protecting` | whether the forge really holds a merge back |
| `pipelines` | whether what is called the gate there is the gate |
| `examination` | the list of all checks, in the order in which they are told |

Nothing here writes, not even into a home that exists, and nothing asks the network unless it is
told to: a doctor that changes the patient cannot be run by an examiner.
"""
