"""The files of a checkpoint on the Hugging Face Hub, all from one commit."""

from __future__ import annotations

import re
from pathlib import Path

ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
FILE_ID = re.compile(r"([A-Za-z0-9][\w.-]*/[\w.-]+)/(.+\.gguf)")


class HubRepository:
    """A model repository at one commit.

    `commit` is the one that `revision` stood for when the first file was fetched; every other file comes from it too. The
    access token is the one that `huggingface_hub` finds.
    """

    def __init__(self, name: str, revision: str | None) -> None:
        """`revision` is a branch, tag or commit; None for the main branch."""
        self.name = name
        self.revision = revision
        self.commit: str | None = None

    def fetch(self, file: str) -> Path | None:
        """Local path of a file, downloaded unless it is cached; None where the repository has no file of that name.

        Raises FileNotFoundError where the repository or revision does not exist, may not be read, or cannot be reached.
        """
        from huggingface_hub import constants, hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

        where = f"{self.name} at {self.revision or 'main'}"
        try:
            path = Path(hf_hub_download(self.name, file, revision=self.commit or self.revision))
        except LocalEntryNotFoundError as error:
            # Offline, a commit has the files that the cache has.
            if constants.HF_HUB_OFFLINE and self.commit is not None:
                return None
            raise FileNotFoundError(f"{where}: {file} is not in the cache and could not be fetched: {error}") from error
        except EntryNotFoundError:
            return None
        except Exception as error:  # the library does not say which classes its transport raises
            raise FileNotFoundError(f"{where}: {file} could not be fetched: {error}") from error
        if self.commit is None:
            self.commit = path.parts[len(path.parts) - file.count("/") - 2]  # .../snapshots/COMMIT/FILE
        return path
