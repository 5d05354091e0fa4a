"""The gate: policies, approvals and waivers in, findings and a verdict out.

It reads evidence as data and never runs the code that produced it. The way through the room:

| module | what it is |
|---|---|
| `gate` | the door: `check` a tree, `judge` a change |
| `changes` | what a change is: intention, promotion or a whole estate |
| `separation` | whose approval a change needs, and whose does not count |
| `loosening` | limits that a change makes weaker |
| `promotions` | what a promotion must prove, from the tree alone |
| `acceptance` | evidence against what the model declares, computed again |
| `waivers` | findings that are accepted for a time |
| `rulebook` | the policies in force: of the estate and of packs |
| `rules` | one policy, compiled |
| `questions` | one rule asked of one object, and the answer with its reasons |
| `engine` | CEL behind a small protocol |
| `world` | what an expression can see |
| `facts` | what is computed about an object, because no expression could say it |
| `lookups` | where one document leads to another |
| `tracing` | what a rule read, and where the value stands that decided |
| `cel` | CEL as Python: the checked tree, its translation, the exact evaluator |
| `testing` | unit tests of policies, and what they cover |
| `lint` | what is wrong with a policy before it has judged anything |
| `packs` | policies that ship with ordain, as versioned data |
| `codes`, `pages` | the findings of this room and of policies, for `ordain explain` |
"""
