"""Packages as an installer leaves them in a `site-packages`, with the record of their files."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def install(
    site: Path,
    files: Mapping[str, str],
    rules: Mapping[str, str],
    *,
    name: str = "bank-rules",
    version: str = "1.4.2",
    installer: str = "pip",
) -> Path:
    """Install a package of rules; `rules` are entry points. The directory of its metadata."""
    folder = f"{name.replace('-', '_')}-{version}.dist-info"
    points = "".join(f"{rule} = {value}\n" for rule, value in rules.items())
    content = {
        **files,
        f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{folder}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{folder}/entry_points.txt": f"[ordain.rules]\n{points}",
        f"{folder}/INSTALLER": f"{installer}\n",
    }
    record = io.StringIO()
    writer = csv.writer(record, lineterminator="\n")
    for path, text in content.items():
        data = text.encode()
        target = site / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        hashed = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        writer.writerow((path, f"sha256={hashed}", len(data)))
    writer.writerow((f"{folder}/RECORD", "", ""))
    writer.writerow(("../../../bin/bank-rules", "sha256=made-by-the-installer", "1"))
    (site / folder / "RECORD").write_text(record.getvalue())
    return site / folder
