"""What is wrong with a policy itself, before it has judged anything.

A policy that is misspelt is the worst kind of control: it is there, it is green, and it asks about
nothing. The compiler of expressions cannot say so, because documents are of no type for it.

| module | what it is |
|---|---|
| `linting` | the door: the findings on the policies of an estate or of a pack |
| `types` | types of values, made of the kinds of the language |
| `scope` | the types of the names that an expression sees |
| `inference` | the type of every part of an expression, and what cannot be right |
| `constants` | parts that have one answer whatever the object |
| `failing` | parts that can never be evaluated |
| `uses` | variables and params that are used and not declared, or declared and not used |

Types are inferred and never demanded: what is not known is let pass. A finding here must be right,
because there is no waiver for a linter that cries wolf.
"""
