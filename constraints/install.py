"""Install the course for the Python that runs this, in the locked versions: with uv, else with pip.

    .venv/bin/python constraints/install.py lab,test        or: make run

uv takes a third of pip's time, but knows nothing of what pip is configured with on this machine,
such as a mirror of the index. So it is told. Where uv cannot be had, or fails, pip installs.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIP = [sys.executable, "-m", "pip"]
UV_OPTIONS = {  # by pip's name of the setting
    "index-url": "--default-index",
    "extra-index-url": "--index",
    "find-links": "--find-links",
    "trusted-host": "--allow-insecure-host",
}


def pip_settings():
    """What pip is configured with: in its files, of all commands or of install, or by variables."""
    lines = subprocess.run([*PIP, "config", "list"], check=True, capture_output=True, text=True)
    found = {}
    for section in ("global", "install", ":env:"):  # a later one wins
        for line in lines.stdout.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(f"{section}."):
                found[name.removeprefix(f"{section}.")] = ast.literal_eval(value)
    return found


def uv_command(settings):
    """Make the command by which uv finds packages where pip, so configured, finds them."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable]
    for name, option in UV_OPTIONS.items():
        for value in settings.get(name, "").split():
            command += [option, value]
    # A version may lie in any of the indexes, as for pip; uv would look in the first one only.
    return [*command, "--index-strategy", "unsafe-best-match"]


def install(extras):
    """Install the course with these extras, in editable mode; return the exit code."""
    what = ["-c", "constraints/lock.txt", "-e", f".[{extras}]"]
    settings = pip_settings()
    environment = dict(os.environ)
    if "cert" in settings:
        environment.setdefault("SSL_CERT_FILE", settings["cert"])

    def succeeds(*command):
        return subprocess.run(command, cwd=ROOT, env=environment).returncode == 0

    uv_is_there = succeeds(*PIP, "install", "--quiet", "-c", "constraints/lock.txt", "uv")
    if uv_is_there and succeeds(*uv_command(settings), *what):
        return 0
    print("uv could not install the course; pip tries, which takes minutes.", flush=True)
    return 0 if succeeds(*PIP, "install", "--quiet", *what) else 1


if __name__ == "__main__":
    sys.exit(install(sys.argv[1]))
