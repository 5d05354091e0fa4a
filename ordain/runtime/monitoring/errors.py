"""What can be wrong with a reference profile or a window.

MonitoringError       RUN160   base of this part
├── ProfileError      RUN161   a profile cannot be read, or values do not fit its bins
└── MonitorError      RUN162   a Monitor does not fit the version it watches
"""

from __future__ import annotations

from ordain.runtime.errors import RunError


class MonitoringError(RunError):
    """Something about a monitor that the reader can mend."""

    code = "RUN160"


class ProfileError(MonitoringError):
    """The bytes are no profile, or a value does not fit the feature's bins."""

    code = "RUN161"


class MonitorError(MonitoringError):
    """The Monitor names something that the version does not have."""

    code = "RUN162"
