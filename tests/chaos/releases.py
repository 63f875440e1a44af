"""A new revision of the product: a checkout of its own with another name and a migration, as a deploy brings one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models import migrate
from tests.infra.processes import ROOT

PARTS = (
    "app.py", "config.py", "gunicorn.conf.py", "alembic.ini", "blueprints", "workers", "sync", "connectors", "domain",
    "models", "migrations", "templates", "static",
)  # fmt: skip
MIGRATION = '''"""What release {name} brings."""

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{name}", "{before}", None, None


def upgrade() -> None:
    op.create_table("of_{name}", sa.Column("id", sa.Integer, primary_key=True))


def downgrade() -> None:
    op.drop_table("of_{name}")
'''


@dataclass
class Releases:
    """Where the code of the running revision is. `release` makes the next one and carries out its migration."""

    folder: Path
    environment: Mapping[str, str]
    current: Path = ROOT
    newest: str = field(default_factory=lambda: str(migrate.newest()))
    made: int = 0

    def release(self) -> str:
        """The name of the new revision. Raises CalledProcessError when its migration fails (the database is away):
        then the old one stays, and the next try goes on with the same revision."""
        name = f"release_{self.made + 1}"
        code = self.folder / name
        if not code.exists():
            code.mkdir(parents=True)
            for part in PARTS:
                if (ROOT / part).is_dir():
                    shutil.copytree(ROOT / part, code / part)
                else:
                    shutil.copy2(ROOT / part, code / part)
            script = MIGRATION.format(name=name, before=self.newest)
            (code / "migrations" / "versions" / f"{name}.py").write_text(script, encoding="utf-8")
            (code / "workers" / "release.py").write_text(f'NAME = "{name}"\n', encoding="utf-8")
        subprocess.run(
            [sys.executable, "-m", "workers", "migrate"], cwd=code, env={**os.environ, **self.environment}, check=True,
            capture_output=True, timeout=60,
        )  # fmt: skip
        self.current, self.newest, self.made = code, name, self.made + 1
        return name


def running_from(pid: int) -> Path | None:
    """The folder a process runs in; None where the machine does not tell."""
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd"))
    except OSError:
        return None
