"""The codes that no error class carries, and errors that need more words, for `ordain explain`.

REQ1xx are answers to a caller: each comes with an HTTP status, with the name of the field that it
is about, and never with a value that was sent. RUN199 is the boundary of a process that
trains or validates.
"""

from __future__ import annotations

from typing import Final

from ordain.specs.explanations import Explanation as Page

_STRICT: Final = (
    "The contract is that of the model's features. A value that is bent until it fits would be "
    "scored, and nobody would know that it was another one."
)
_FALLBACK: Final = (
    "No model can answer, so the route's fallback decides, and the answer says so; a route without "
    "a fallback answers with status 503. The record holds which it was."
)
_KEYS: Final = "A route whose `access.keys` is required answers only callers with a key of its own."

CODES: Final = {
    "REQ100": Page(
        "the body is not JSON that can be read (400)",
        "A body is one JSON object in UTF-8, with numbers of a usual length and little nesting.",
        "{income: 1200}",
        'send one JSON object, such as {"income": 1200}',
    ),
    "REQ101": Page(
        "the body is not a record or a batch (422)",
        "A body is one record, or `records` with a list of at least one.",
        '[{"income": 1200}]',
        'send one record such as {"income": 1200}, or {"records": [...]}',
    ),
    "REQ102": Page(
        "the body is too large (413)",
        "A larger body is refused before it is read, so that no caller can fill the memory.",
        "",
        "send several smaller batches",
    ),
    "REQ103": Page(
        "the batch has too many records (413)",
        "Records of a batch are answered together, and the last would wait for all of them.",
        "",
        "send several smaller batches",
    ),
    "REQ104": Page(
        "the body did not come in time (408)",
        "A connection that sends nothing must not hold a place that another caller needs.",
        "",
        "send the body at once",
    ),
    "REQ110": Page(
        "a field that neither the model nor the route takes (422)",
        "A misspelt feature would otherwise count as missing, and the score would be another one.",
        '{"incme": 1200}',
        "correct the name, or leave the field out",
    ),
    "REQ111": Page(
        "a field is missing (422)",
        "The model was trained without missing values of this feature, and knows no answer for it. "
        "An empty text is a missing value.",
        "{}",
        "send a value for the field",
    ),
    "REQ112": Page(
        "a value of the wrong type (422)",
        _STRICT,
        '{"income": "1200"}',
        "send the JSON type that the message names",
    ),
    "REQ113": Page(
        "a number that is not finite (422)",
        _STRICT,
        '{"income": 1e999}',
        "send a finite number, or null if the value is missing",
    ),
    "REQ114": Page(
        "a number out of its range (422)",
        "The Dataset declares which values are believed; the model has learnt from no others.",
        '{"income": -5}',
        "send a value in the range that the Dataset declares",
    ),
    "REQ115": Page(
        "a level that the model does not know (422)",
        "The column's `unknown` is refuse, so a level that training has not seen gets no score.",
        '{"purpose": "yacht"}',
        "send one of the levels that the message names",
    ),
    "REQ116": Page(
        "a field is given twice (422)",
        "Two readers of one record could take different values, and the record could not be "
        "replayed.",
        '{"income": 1200, "income": 9000}',
        "send it once",
    ),
    "REQ117": Page(
        "a text that is too long (422)",
        "A category is a short name. Free text in a record may hold what nobody may keep.",
        "",
        "send the level, not a text",
    ),
    "REQ118": Page(
        "the model cannot take this record (422)",
        "The fields fit the contract one by one, and the plan of the version refuses them.",
        "",
        "correct the field that is named",
    ),
    "REQ119": Page(
        "a free text that is too long (422)",
        "A text is recorded as it was sent, because a record must be replayed from what it holds.",
        "",
        "send the part of the text that the model has learnt from",
    ),
    "REQ120": Page(
        "a routing key is needed (401)",
        _KEYS,
        "",
        "ask the owner of the route for a key, and send it as X-API-Key",
    ),
    "REQ121": Page(
        "an unknown routing key (401)",
        _KEYS,
        "",
        "ask for a key of this route; `ordain keys` makes one",
    ),
    "REQ122": Page(
        "a routing key of another route (403)",
        _KEYS,
        "",
        "ask for a key of this route; `ordain keys` makes one",
    ),
    "REQ124": Page(
        "a value that is no day or time of UTC (422)",
        "A day, or a time to the second, as ISO 8601 writes it. Other zones are refused: a day "
        "would be another one, and the record could not be compared with the data.",
        '{"applied_on": "31.01.2026"}',
        "send 2026-01-31, or 2026-01-31T09:30:00Z",
    ),
    "REQ130": Page(
        "there is no such route (404)",
        "An endpoint exists when its Route is merged and its default deployment has a version.",
        "POST /v1/credti",
        "look at `ordain status` for the routes",
    ),
    "REQ131": Page(
        "a route takes POST only (405)",
        "A prediction is recorded, so it is no question that can be asked twice for free.",
        "GET /v1/credit",
        "send a POST",
    ),
    "REQ140": Page("the deployment has no approved version", _FALLBACK, "", "merge its promotion"),
    "REQ141": Page(
        "the model could not score the record",
        _FALLBACK,
        "",
        "look at the recorded inputs: ordain audit query --predictions",
    ),
    "REQ142": Page(
        "the model gave an output that no model of its task can give",
        "A probability outside of 0 to 1, or a value that is not finite, is not recorded and not "
        "given. " + _FALLBACK,
        "",
        "roll the deployment back, and validate the version again",
    ),
    "REQ143": Page(
        "the prediction could not be recorded",
        "An answer that nobody can prove is not given. " + _FALLBACK,
        "",
        "free space for the ledger, or mend its rights",
    ),
    "REQ144": Page(
        "the route was stopped in an emergency",
        "A manager has stopped it with `ordain stop`. " + _FALLBACK,
        "",
        "see: ordain emergencies list",
    ),
    "REQ190": Page(
        "the server failed on this request (500)",
        "This is a defect of ordain; the log of the server has all of it.",
        "",
        "report it with the server's log",
    ),
    "RUN111": Page(
        "a stored pipeline names what may run, or cannot be opened",
        "A pipeline.skops is looked through before anything opens it: only listed types, loaders "
        "and settings stand in one that was written here. Another is refused, whoever sends it.",
        "a pipeline.skops whose schema names posix.system",
        "do not open it; let training write the artifact again",
    ),
    "RUN112": Page(
        "an ONNX form is not one that this tool writes",
        "A model.onnx holds a short list of operators, and no tensor lies in another file. What "
        "holds more may reach for files, or compute something else than the plan.",
        "a model.onnx with an operator of a vendor",
        "do not open it; let training write the artifact again",
    ),
    "RUN113": Page(
        "a fitted pipeline has no form that may be stored",
        "Some estimators hold what is on no list, such as rows that they were fitted on. The plan "
        "serves all the same; this form of the model is left out.",
        "",
        "choose another estimator or preprocessing, if the form is needed",
    ),
    "RUN115": Page(
        "nobody who is trusted says where an artifact came from",
        "A server loads a version only with a statement that the reconciler has signed, by a key "
        "that the Organization lists and has not revoked, on exactly this artifact. A version from "
        "before there were statements has none.",
        "a key of the reconciler is revoked that has signed the statement of a version that runs",
        "run `ordain reconcile --once`: it proposes the version again, with the same artifact and "
        "new papers; have it approved and merged",
    ),
    "RUN141": Page(
        "the source does not give the rows",
        "A database, an object store or a file cannot be reached, refuses the query, or gives rows "
        "in an order that is no key. Connection strings are in no message.",
        "source: {type: postgresql, query: ..., connection: {env: CREDIT_DB}}",
        "do what the message asks for: the variable, the rights, the order of the query",
    ),
    "RUN142": Page(
        "the snapshot of pinned data is missing, or was changed",
        "Training reads rows from the artifact store and from nowhere else, and proves before and "
        "after that they are those of the pinned digest.",
        "a Dataset is pinned on another machine, and its source gives other rows by now",
        "restore the snapshot from a copy of the store, or pin the data anew with `ordain pin`",
    ),
    "RUN143": Page(
        "outcomes would be learnt from before they are final",
        "Either the age of a row cannot be told (no `time`, no `asOf`), or the share of positive "
        "outcomes climbs in the newest rows although a delay is declared: the sign of a table that "
        "holds only cases that are over, of which the newest are those that went wrong early. A "
        "model that learns from them takes being new for being bad.",
        "target: {column: default_12m, matureAfter: 30d}",
        "raise matureAfter to the time after which nearly every outcome is known",
    ),
    "RUN144": Page(
        "a feature gives the outcome away, or repeats what is never a feature",
        "Almost no honest feature tells the outcome alone. One that does was most often filled in "
        "after the outcome, and will be empty when the model is asked. One that repeats a "
        "protected column, the entity or the time is that column under another name.",
        "columns: {collection_agency: {type: category}}",
        "add it to leaks or features.exclude; if it is known before the outcome, and somebody "
        "looked, set separates: true in its column (never for a copy of a protected one)",
    ),
    "RUN154": Page(
        "somebody stopped a run that was going on",
        "Ctrl-C or SIGTERM ends a run within seconds. Nothing of it is kept but its entry in the "
        "list of runs.",
        "ordain train, and Ctrl-C",
        "run it again",
    ),
    "RUN165": Page(
        "a model that exists already cannot be taken over",
        "Files of strangers are read by lists: a pickle may name listed estimators only, ONNX must "
        "stand on its own, and a directory of MLflow may load no code of its own.",
        "ordain import sklearn model.pkl, where the file names posix.system",
        "export the model to ONNX with what made it, and import that",
    ),
    "RUN180": Page(
        "the artifact or the rows are not those of the order",
        "A validation is bound to the digest of an artifact and to that of its rows. Numbers of "
        "other rows, or another split of them, would read as well and be about something else.",
        "ordain validate credit-default@3, whose evidence is of another split of the rows",
        "validate the artifact with the Model and the rows that it was trained with",
    ),
    "RUN181": Page(
        "the order for a validation cannot be read or written",
        "An order is written by the machine, and holds everything that a validation needs.",
        "job.json of another version of ordain",
        "let `ordain validate` or the reconciler write the order",
    ),
    "RUN182": Page(
        "the file of edge cases cannot be read",
        "The file changed after the check, or was never checked. A validation without its edge "
        "cases would leave out what somebody asked for.",
        "edge-cases.yaml, line 3: a case has exactly the keys name, inputs, expect and why",
        "run `ordain check`, and correct the file",
    ),
    "RUN199": Page(
        "a job that trains or validates broke",
        "Something happened that no part of it expects; the log of the job has all of it.",
        "",
        "read the log of the job, and report it",
    ),
}
