"""The codes of the language: what each says, why it is refused, an example, and the remedy.

ORD, EVID: any command. SPEC0xx: the text. SPEC1xx: one document. REF0xx: documents together.
"""

from __future__ import annotations

from typing import Final

from ordain.specs.explanations import Explanation as Page

_TEXT: Final = {
    "ORD000": Page(
        "something went wrong that has no code of its own",
        "The message says what; nothing was half done.",
        "ordain plan        # on a full disk",
        "do what the message asks for",
    ),
    "ORD001": Page(
        "a step could not go on because of findings",
        "The findings above are the reason; each has a code of its own.",
        "ordain apply        # of an estate with errors",
        "mend the findings; `ordain check` shows them all",
    ),
    "EVID001": Page(
        "a file in evidence/ is not what its name promises",
        "Evidence is named by its digest and written by the machine. A file that was edited is no "
        "evidence of anything.",
        "a metric changed by hand in evidence/915e71e0….json",
        "restore the file from git; train again to get new evidence",
    ),
    "EVID002": Page(
        "a file in evidence/ is not the validation that its name promises",
        "A promotion names a validation by its digest. A file that is something else, or whose "
        "bytes are not those of its name, proves nothing.",
        "a share of flipped decisions changed by hand in evidence/77af11….json",
        "restore the file from git; validate again to get a new one",
    ),
    "SPEC001": Page(
        "the estate cannot be read",
        "There is nothing to check: the directory does not exist or may not be read.",
        "ordain check --directory /nowhere",
        "name the directory that holds ordain.yaml",
    ),
    "SPEC002": Page(
        "an edit cannot be made",
        "A value is set without touching comments or any other byte; where that is not possible "
        "(an alias, a list, a broken file) nothing is written.",
        "spec: *shared        # setting spec.version would change every place that shares it",
        "make the change by hand",
    ),
    "SPEC003": Page(
        "there is nothing to explain under this name",
        "`ordain explain` knows codes, kinds and fields.",
        "ordain explain Model.spec.teir",
        "correct the name; `ordain explain Model` lists the fields of a kind",
    ),
    "SPEC010": Page(
        "the file is not UTF-8",
        "Another encoding could be read as other characters by another tool.",
        "purpose: Pr\\xe9vision        # one byte of Latin-1",
        "save the file as UTF-8",
    ),
    "SPEC011": Page(
        "the file is too large",
        "A document is read by people. What has megabytes is data, and data is referred to by its "
        "digest.",
        "a file of 10 MB or more",
        "split the file; move data to a Dataset's source",
    ),
    "SPEC012": Page(
        "the text is not YAML",
        "The parser cannot go on; everything below the place is unread.",
        "spec: {tier: 1",
        "look at the line shown and the one above it: indentation, quotes, brackets, colons",
    ),
    "SPEC013": Page(
        "a key stands twice",
        "YAML forbids it, and its readers differ: most take the last value, some the first. Two "
        "tools would see two different declarations.",
        "tier: 1\ntier: 3",
        "remove one of the two",
    ),
    "SPEC014": Page(
        "a tag",
        "A tag makes the text decide on the type of a value. Here the kind does, and nothing in a "
        "file may ask for an object to be built.",
        "seed: !!python/object/apply:os.getpid []",
        "remove the tag",
    ),
    "SPEC015": Page(
        "a merge key",
        "`<<` is not part of YAML 1.2, and a reader of the page cannot see what it brings in.",
        "canary:\n  <<: *defaults",
        "write the fields out",
    ),
    "SPEC016": Page(
        "a key that is no text",
        "Every field has a name, and a name is text; 1, true and null are not.",
        "levels: {1: low, 2: high}",
        "put the key into quotes",
    ),
    "SPEC017": Page(
        "too many values",
        "Aliases can make a page of text stand for billions of values. The limit counts what "
        "aliases repeat as if it were written out.",
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]",
        "split the file; repeat less",
    ),
    "SPEC018": Page(
        "nested too deep",
        "No kind needs that depth; a parser can be broken by it.",
        "[[[[[[[[…",
        "write a flatter document",
    ),
    "SPEC019": Page(
        "a number that cannot be kept",
        "Digests are taken over JSON, which has no infinity and no NaN, and policies count in 64 "
        "bits.",
        "max: .inf",
        "write a finite number; leave a limit out where there is none",
    ),
    "SPEC020": Page(
        "a file cannot be read",
        "What cannot be read cannot be checked, and is not taken to be right.",
        "specs/models/credit.yaml without read permission",
        "check that it is a readable file",
    ),
    "SPEC021": Page(
        "a link leads out of the estate, or stands among its documents in a commit",
        "A check must read what git keeps; the target of the link may change without a commit. In "
        "a commit no link and no submodule may stand where documents stand, wherever it leads.",
        "specs/model.yaml -> /home/shared/model.yaml",
        "put the content into the estate",
    ),
    "SPEC022": Page(
        "an alias without its anchor",
        "An alias repeats a value that ended above it in the same document.",
        "spec: *defaults",
        "write the value out, or give the value above an anchor",
    ),
    "SPEC023": Page(
        "a text that holds U+0000",
        "Many readers end a text there, so that two of them see two texts: the gate judges one, "
        "and the tool behind it is given the other.",
        'owner: "credit-risk\\0 and others"',
        "leave the character out",
    ),
    "SPEC024": Page(
        "too many mistakes in one place",
        "After a hundred mistakes in one file or document the cause is another one than each of "
        "them, such as a file of data that was given the name of a document.",
        "a document with thousands of fields that nobody knows",
        "mend those that are shown, or move the file elsewhere",
    ),
    "SPEC025": Page(
        "a character that makes the text look other than it is read",
        "U+0085, U+2028 and U+2029 end a line for some readers of YAML and for no editor, so that "
        "a field can hide in what looks like a comment. Marks of direction show a line in another "
        "order than it stands in.",
        "# the tier is 1<U+2028>  tier: 3",
        "take the character out; in a double-quoted text it can be written as an escape",
    ),
    "SPEC026": Page(
        "the estate is not the root of its repository",
        "Git knows every file by its path from the root of the repository. What reads commits (the "
        "gate, the reconciler, a forge that shows findings) looks for ordain.yaml there.",
        "banks/one/ordain.yaml in a repository with many banks",
        "move the estate to the root, or give it a repository of its own",
    ),
}

_DOCUMENT: Final = {
    "SPEC100": Page(
        "not a document",
        "Everything below specs/, policies/ and compliance/ is a document with a kind.",
        "- a list",
        "write apiVersion, kind, metadata and spec, or move the file elsewhere",
    ),
    "SPEC101": Page(
        "a field is missing",
        "The field has no default that would be safe to assume.",
        "kind: Model        # a Model without `tier`",
        "add the field",
    ),
    "SPEC102": Page(
        "a value of the wrong type",
        'Types are strict: "3" is no number and 1 is no truth value, because a gate that guesses '
        "can be talked round.",
        'seed: "7"',
        "write the value as the type that is asked for",
    ),
    "SPEC103": Page(
        "a value that is none of the choices",
        "The field takes one of a few values.",
        "task: clasification",
        "write one of the values that are listed",
    ),
    "SPEC104": Page(
        "an unknown field",
        "A field that nobody reads looks as if it were in force. A misspelt limit is no limit.",
        "teir: 1",
        "correct the name; `ordain explain KIND` lists the fields",
    ),
    "SPEC105": Page(
        "a value out of its range",
        "The value, or the number of items, is outside of what the field accepts.",
        "tier: 4",
        "write a value inside of the range",
    ),
    "SPEC106": Page(
        "text of the wrong form",
        "Names, digests, durations, shares and days have one way to be written.",
        "purge: 30 days",
        "write it as the message says, such as 30d",
    ),
    "SPEC107": Page(
        "fields that contradict each other",
        "Each field is right on its own; together they say nothing that could be done.",
        "when: {field: amount, op: in, value: 3}",
        "keep one meaning",
    ),
    "SPEC108": Page(
        "an unknown kind",
        "The language has a fixed set of kinds.",
        "kind: Modle",
        "correct the name",
    ),
    "SPEC109": Page(
        "another version of the language",
        "Fields may mean something else in another version.",
        "apiVersion: ordain.dev/v2",
        "write the version that this ordain reads, or install the ordain that reads yours",
    ),
    "SPEC110": Page(
        "a document is declared twice",
        "Kind and name are the identity of a document.",
        "two files with `kind: Model` and `name: credit`",
        "rename or remove one of the two",
    ),
    "SPEC111": Page(
        "there is not exactly one Estate",
        "The Estate stands in ordain.yaml at the root, so that everyone finds it.",
        "a second document of the kind Estate",
        "keep one, in ordain.yaml",
    ),
    "SPEC112": Page(
        "a day or an instant that does not exist",
        "A date that is in no calendar cannot be compared, and whoever guessed which one was meant "
        "would decide when a key or a waiver ends.",
        "validFrom: 2026-13-01T00:00:00Z",
        "write a day of the calendar",
    ),
    "SPEC113": Page(
        "a public key that cannot be read",
        "The line is a type, the key in base64, and a comment; the key names its type again. A key "
        "that cannot be read verifies nothing, so everything its owner signs would be refused.",
        "keys: [{public: ssh-ed25519 AAAA}]",
        "paste one whole line of a .pub file",
    ),
    "SPEC142": Page(
        "a decision by a threshold where there are not two outcomes",
        "A threshold parts the probability of one of two outcomes. Of more than two the most "
        "probable is decided, a regression gives a number, a clustering a cluster: the threshold "
        "would be read by people and never have an effect.",
        "task: regression, decision: {threshold: 0.5}",
        "remove `decision`",
    ),
    "SPEC160": Page(
        "a validation on rows or groups that are not there",
        "A validation answers the rows of a Dataset and measures performance in groups of them. "
        "Without the columns it would end after the training, when somebody waits for it.",
        "validation: {segments: {columns: [purpos]}}",
        "name columns that the Dataset declares, with the types of the model's own Dataset",
    ),
    "SPEC161": Page(
        "a limit of segments that cannot be judged",
        "The metric of a group is one of the task. The stability of a clustering is none of them, "
        "because it is measured by fitting the model again.",
        "task: regression, validation: {segments: {columns: [region], metric: roc_auc}}",
        "use a metric of the task",
    ),
    "SPEC162": Page(
        "a suite of edge cases that cannot be read or asked",
        "Every case is asked of every version before it is proposed, and its answer decides. A "
        "case that nobody understands would be left out, or refused for a name that is misspelt.",
        "cases: [{name: no income, inputs: {incme: 0}, expect: {max: 0.2}, why: …}]",
        "correct the case; each has a name, inputs, what is expected, and why",
    ),
    "SPEC163": Page(
        "a limit of validation that has no effect",
        "A regression decides nothing and gives no probability. The limit would be read by people "
        "and never be held against anything.",
        "task: regression, validation: {calibration: {maxError: 0.05}}",
        "remove the limit",
    ),
    "SPEC168": Page(
        "reason codes that are not there, or do not fit the features",
        "Whoever is refused is told reasons, and a validation examines them. A feature without a "
        "reason could decide a case and never be named; a reason for what the model does not read "
        "says nothing.",
        "explanation: {reasons: reasons/credit.yml}",
        "write the file, with every feature in exactly one reason",
    ),
    "SPEC143": Page(
        "reasons for what has none",
        "Reason codes tell why a decision was unfavourable, and a regression decides nothing. The "
        "distance to a cluster is no sum over the features, so that a clustering has no "
        "attributions at all.",
        "task: clustering, explanation: {reasons: reason-codes.yaml}",
        "remove `reasons`, of a clustering all of `explanation`",
    ),
    "SPEC167": Page(
        "an explanation that has no effect as it is declared",
        "A background of favourable decisions needs a decision, and an outcome that is favourable. "
        "The gates of reasons decide where reason codes are declared, because that is where "
        "somebody is told reasons.",
        "explanation: {gates: {flips: 0.95}}",
        "declare `reasons`, or what the message names",
    ),
    "SPEC120": Page(
        "declared, but not done by this version",
        "The language says more than this version does. Accepting the field silently would let an "
        "estate promise what nobody does.",
        "environments: [{name: production, target: aws}]",
        "remove the field for now, or take the value that is supported",
    ),
    "SPEC125": Page(
        "a source without what it needs",
        "Rows of a database come in no order of their own, and without one the same rows would "
        "have another digest tomorrow. The query stands in a reviewed file, and the connection "
        "string in no file at all.",
        "source: {type: postgres, query: queries/loans.sql}        # no dsnFrom, no orderBy",
        "add the field that the message names",
    ),
    "SPEC126": Page(
        "a field that this source does not use",
        "It would look as if it were done: a query on a file selects nothing, and a version of a "
        "file in the estate is the one that git has.",
        "source: {type: csv, uri: data/loans.csv, query: queries/loans.sql}",
        "remove the field, or correct the type of the source",
    ),
    "SPEC127": Page(
        "a password in the address of a source",
        "Everyone who can read the estate can read it, now and in all of its history.",
        "uri: postgres://reader:hunter2@warehouse.example.org/risk",
        "change that password now, and name the variable with the connection string in `dsnFrom`",
    ),
    "SPEC128": Page(
        "an address of another kind of source",
        "The type says what reads the rows, and that cannot reach this address.",
        "source: {type: s3, uri: data/loans.parquet}",
        "correct the address, or the type",
    ),
    "SPEC129": Page(
        "a source that does not say what is read",
        "What the rows are must be known before anybody looks into them: a format, a version, a "
        "pointer.",
        "source: {type: s3, uri: s3://risk/loans}        # CSV or Parquet?",
        "add `format`, correct `version`, or name the .dvc file",
    ),
    "SPEC130": Page(
        "a relation between columns that cannot be compared",
        "An order stands between two numbers or between two dates. A comparison of anything else "
        "would hold by accident, or never.",
        "relations: [{left: opened_on, op: le, right: income}]",
        "compare two numbers (float, int) or two dates",
    ),
    "SPEC131": Page(
        "the age of a row is asked for, and nothing says it",
        "`matureAfter` counts from the day up to which outcomes were seen (`asOf`, written by "
        "`ordain pin`) back to the time of each row; `fresh` looks at the time of the newest row. "
        "The clock of the machine is no such day, because the same data would be others tomorrow.",
        "target: {column: default_12m, matureAfter: 365d}     # and no `time`",
        "set `time` to a column of the type date, and run `ordain pin` for `asOf`",
    ),
    "SPEC132": Page(
        "a column of a feedback loop that is no truth value",
        "`observed` and `explored` answer yes or no for every row; a number or a category would "
        "have to be guessed at.",
        "feedback: {observed: status}      # and `status` is a category",
        "name a column of the type bool",
    ),
    "SPEC133": Page(
        "an expectation that says nothing, or that no table can meet",
        "A number of rows that ends before it begins, a group without columns, a column that is "
        "compared with itself: each would look like a check and be none.",
        "expect: {rows: [1000, 10]}",
        "correct the expectation, or take it out",
    ),
    "SPEC134": Page(
        "a claim on all cases that nothing can show",
        "With a feedback loop outcomes exist only for those whom an earlier decision let through. "
        "Unless some were let through by chance (`explored`), and unless every outcome was seen "
        "after all, a gate on all cases is insufficient and no version is ever promoted.",
        "acceptance: {metrics: [{name: roc_auc, min: 0.7}]}  # with `feedback: {observed: paid}`",
        "write `population: labelled`, or declare `explored` in the Dataset",
    ),
    "SPEC164": Page(
        "a proxy for something that is not protected",
        "`proxyFor` says that a column may tell a protected attribute that decisions must not rest "
        "on. A name that is a column of the Dataset is that column, so it has to be protected; any "
        "other name is an attribute that no column holds, such as ethnicity.",
        "postcode: {type: category, proxyFor: [income]}",
        "write `role: protected` in the column that is named, or correct the name",
    ),
    "SPEC165": Page(
        "a protected column that is declared a proxy",
        "A protected column is no feature and no field of a route in any case. Declared a proxy, "
        "it would look as if it could be justified.",
        "sex: {type: category, role: protected, proxyFor: [gender]}",
        "take `proxyFor` out, or correct the role",
    ),
    "SPEC166": Page(
        "a limit of proxies that nothing is held against",
        "`acceptance.proxies` limits how well features tell the protected columns of the Dataset. "
        "Where no column is protected, nothing is measured and the limit is always met.",
        "acceptance: {proxies: {max: 0.3}}      # and no column with `role: protected`",
        "write `role: protected` in a column of the Dataset, or take `proxies` out",
    ),
    "SPEC140": Page(
        "an estimator that does not do the task",
        "Each estimator gives classes, numbers or clusters; which of them the model gives is said "
        "by `task`.",
        "task: regression with estimator: logistic_regression",
        "name an estimator of the task, or correct the task",
    ),
    "SPEC141": Page(
        "a metric that the task does not have",
        "An area under a curve says nothing of a number, nor an error in euros of a class. "
        "Clusters of two versions have no names in common, so they are not compared.",
        "task: regression with metrics: [{name: roc_auc, min: 0.7}]",
        "gate by a metric of the task",
    ),
    "SPEC144": Page(
        "fairness of a model that decides nothing",
        "Fairness compares how often groups get the decision that is good for them. A regression "
        "gives a number and a clustering a group; neither is a decision.",
        "task: regression with fairness: [{}]",
        "take the gate out, or make the decision a classification",
    ),
    "SPEC145": Page(
        "a preprocessing that contradicts itself",
        "Limits that keep nothing, a product of what is no number, an encoding by outcomes for a "
        "model that has none: training could only refuse it.",
        "preprocessing: {numeric: {outliers: {clip: [p99, p01]}}}",
        "correct the field that is named, or take it out",
    ),
    "SPEC146": Page(
        "a date that is a feature and has no parts",
        "A date becomes numbers that a model can learn from: month, weekday, days since 1970. "
        "Which of them mean something is for a person to say.",
        "a column of the type date, and no `preprocessing.dates.parts`",
        "name parts, or take the column out of the features",
    ),
    "SPEC150": Page(
        "a search that is ranked by a metric of another task",
        "The metric of a search decides which trial is trained. A classification has log_loss and "
        "its like, a regression rmse; clusters have no metric that does not find clusters in "
        "noise, so that stability and a null test decide there.",
        "task: regression, training: {automl: {metric: log_loss, ...}}",
        "take `metric` out, or name one of the task",
    ),
    "SPEC151": Page(
        "a direction that cannot be, or that nothing can hold",
        "A direction is of a number, Dataset and Model must agree on it, and a search must have a "
        "family that can be held to it: trees and boosting can.",
        "monotone: {income: increasing} where the Dataset says decreasing",
        "correct the direction, or add a family that can hold it",
    ),
    "SPEC152": Page(
        "a family of another task, or one that is named twice",
        "Families are estimators with the columns prepared for them, and each does one task or "
        "two. One that is named twice would look as if it were tried more often.",
        "task: regression, training: {automl: {families: [logistic_spline], ...}}",
        "name families of the task, each once",
    ),
    "SPEC153": Page(
        "a setting of a search that nothing follows",
        "A search chooses the parameters itself, counts clusters only where there are some, and "
        "compares decisions only where there are any.",
        "training: {automl: {...}, parameters: {C: 0.5}}",
        "remove the field, or name one `estimator`",
    ),
    "SPEC149": Page(
        "a gate that judges nothing",
        "A gate is one limit: of a value (`min`, `max`) or of the difference to the champion "
        "(`versus`, `minDelta`). One without a limit is always met, and so is, with few rows, one "
        "that looks at the end of the interval on the side of its limit.",
        "metrics: [{name: roc_auc, min: 0.7, bound: upper}]",
        "set the limit that is meant, and `bound: lower` for a smallest, `upper` for a largest",
    ),
    "SPEC156": Page(
        "a limit that a fairness metric does not have",
        "Ratios (`adverse_impact_ratio`, `conditional_parity`) have a smallest value, `min`; the "
        "other metrics are differences and have a largest one, `max`, in either direction.",
        "fairness: [{metric: equal_opportunity_difference, min: 0.8}]",
        "set `max` for a difference, `min` for a ratio, or leave both out for the default",
    ),
    "SPEC157": Page(
        "strata for a fairness metric that has none, or none for one that has",
        "Only `conditional_parity` compares groups inside of strata, and it needs the columns that "
        "make them, such as the product or the region of a credit policy.",
        "fairness: [{metric: conditional_parity}]",
        "name the columns in `within`, or use `adverse_impact_ratio` for all rows together",
    ),
    "SPEC158": Page(
        "an intersection that is none",
        "An intersection compares people by two protected columns or more at once.",
        "intersections: [[sex]]",
        "name two protected columns or more, each once; single ones stand in `attributes`",
    ),
    "SPEC159": Page(
        "strata of a protected column or of the outcome",
        "Inside of one level of a protected column there is nobody to be compared with, and rates "
        "inside of an outcome are those of `equalised_odds_difference`.",
        "within: [sex]",
        "name the columns by which a policy may decide otherwise, such as the product",
    ),
    "SPEC147": Page(
        "products of features for a model that is not linear",
        "A linear model adds columns up and needs a column for what two features do together. "
        "Trees find that themselves, and a product would make their reasons harder to read.",
        "interactions: [[income, debts]] with hist_gradient_boosting",
        "take `interactions` out, or train a linear model",
    ),
    "SPEC154": Page(
        "calibration of what is no probability",
        "To calibrate is to learn how often the outcome came true where the model said 30 %. A "
        "regression gives a value and a clustering a group, and there is nothing to compare.",
        "task: regression with calibrate: sigmoid",
        "take `calibrate` out",
    ),
    "SPEC155": Page(
        "curves for what cannot use them",
        "A spline is several columns of one feature, for models that add columns up. Trees find "
        "curves themselves, and a product multiplies one column of each of its factors.",
        "numeric: {splines: {}} with hist_gradient_boosting",
        "take `splines` out or train a linear model; name a feature in one of the two",
    ),
    "SPEC148": Page(
        "an address that may not stand in a document",
        "The endpoint of a vendor's model says where it answers. A user, a password or a query in "
        "it would be in git for ever, and what is no address leads nowhere. Of what kind it has to "
        "be is for policies, such as `vendor-pinned` of the pack supply-chain.",
        "endpoint: https://user:password@bureau.example.org/score",
        "write https://HOST/PATH, and keep credentials where secrets are kept",
    ),
}

_TOGETHER: Final = {
    "REF001": Page(
        "a reference that leads nowhere",
        "The document, person or kind that is named is not declared in this estate.",
        "dataset: aplications",
        "correct the name, or declare what is missing",
    ),
    "REF002": Page(
        "references in a circle",
        "Each of these documents would have to exist before the other.",
        "two AlertChannels that escalate to each other",
        "take one of the references away",
    ),
    "REF003": Page(
        "a column that the Dataset does not declare",
        "What is not declared has no type, no range and no role, so nobody can say whether it may "
        "be used.",
        "features: {include: [incme]}",
        "correct the name, or declare the column",
    ),
    "REF004": Page(
        "a column that can be no feature",
        "Protected attributes are for fairness only; leaks are known only after the outcome; the "
        "target is what is to be learnt.",
        "features: {include: [sex]}",
        "take it out",
    ),
    "REF005": Page(
        "weights that are no split of the traffic",
        "The weights of one rule are percents and sum to 100; each deployment comes once.",
        "to: [{deployment: a, weight: 90}, {deployment: b, weight: 20}]",
        "let the weights sum to 100",
    ),
    "REF006": Page(
        "an environment that does not fit",
        "A route sends requests to deployments of its own environment, which the Estate declares.",
        "environment: prodution",
        "name an environment of the Estate",
    ),
    "REF007": Page(
        "an endpoint that is claimed twice",
        "Two routes of one environment cannot answer on the same path.",
        "endpoint: /v1/credit        # in two Routes",
        "give one of the two another endpoint or environment",
    ),
    "REF008": Page(
        "a model without exactly one way to be made",
        "A model is trained here by a named estimator or by a search, or it was imported, or it is "
        "external and only observed.",
        "spec: {training: {...}, external: {...}}",
        "keep one of them",
    ),
    "REF009": Page(
        "a split that divides nothing",
        "Shares sum to 100; ranges are days, months or years that exist, and train comes before "
        "validation, validation before test.",
        "split: {by: random, train: 60%, validation: 20%, test: 30%}",
        "correct the shares or ranges",
    ),
    "REF010": Page(
        "a version that does not exist",
        "`version` is written by a promotion, together with the ModelVersion that it names.",
        "version: 9        # of a model that has two",
        "remove the field; the next promotion writes it",
    ),
    "REF012": Page(
        "settings that cannot hold together",
        "A limit that warns after it fails, a direction for a category, fairness without a "
        "decision: each would never have an effect.",
        "psi: {warn: 0.3, fail: 0.2}",
        "correct one of the two",
    ),
    "REF013": Page(
        "something is declared twice",
        "Environments, people, keys, rules and versions are found by name; two of one name would "
        "make it a matter of luck which is meant.",
        "environments: [{name: production}, {name: production}]",
        "rename or remove one of the two",
    ),
    "REF014": Page(
        "the name of a rule that the ledger keeps for itself",
        "Every prediction is recorded with its rule. `shadow` marks predictions that decided "
        "nothing and that monitors leave out, and a rule without a name is recorded by its number; "
        "a rule with such a name would be overlooked, or taken for another one.",
        "rules: [{name: shadow, when: {...}, to: [...]}]",
        "give the rule another name",
    ),
    "REF015": Page(
        "a person with the name of the machine",
        "`reconciler` is what findings, signatures and approvals call the machine account. A "
        "person of that name could be taken for it: the machine signs promotions, and approves "
        "nothing.",
        "people: [{name: reconciler, roles: [manager], team: lending}]",
        "give the person another name",
    ),
}

CODES: Final = {**_TEXT, **_DOCUMENT, **_TOGETHER}
