"""The codes of errors that no room foresees: what the operating system and our own defects say."""

from __future__ import annotations

from typing import Final

from ordain.specs.explanations import Explanation

CODES: Final[dict[str, Explanation]] = {
    "ORD002": Explanation(
        title="the operating system refuses a file",
        why=(
            "A path is missing, is not yours, or the disk is full. The message names the file or"
            " `standard output`, and the reason. A document or a result that was to be written is"
            " as it was before."
        ),
        example="error[ORD002]: nowhere/plan.json: No such file or directory",
        remedy="check that the path exists, is yours, and that the disk has room",
    ),
    "CLI030": Explanation(
        title="a row of an inventory that is no model",
        why=(
            "An inventory becomes documents as a whole, so that nobody has to find out later which"
            " models are missing. Every row needs a name, a purpose, an owner and a tier of 1 to 3."
        ),
        example="models.csv:7:1: the tier is 'high', and not 1, 2 or 3",
        remedy="correct the row in the table, and import it again",
    ),
    "ORD999": Explanation(
        title="a defect in ordain",
        why="This should not happen. What led to it is in the file that the message names.",
        example="error[ORD999]: a defect in ordain: KeyError: 'spec'",
        remedy="report it with that file; remove what is confidential from it first",
    ),
}
