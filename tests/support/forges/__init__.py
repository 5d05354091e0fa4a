"""Local stubs of the REST APIs of GitHub and GitLab; see `published/SOURCE.md`."""

from __future__ import annotations

from forges.github import GitHubStub
from forges.gitlab import GitLabStub
from forges.web import Answer, Request, Site

__all__ = ["Answer", "GitHubStub", "GitLabStub", "Request", "Site"]
