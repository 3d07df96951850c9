"""`make audit`: known weaknesses of what we stand on, licences, and a list of all components (SBOM) in artifacts/.

It asks registries, so it is no part of `make test`. Each step says what it found; where a registry cannot be asked,
that is said and counts as failed, since nothing was looked at.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = ROOT / ".venv" / "bin"
ARTIFACTS = ROOT / "artifacts"
PINNED = ("production", "dev")
# Licences that a work under AGPL-3.0-or-later may stand on, as SPDX ids or as packages say them.
ACCEPTED = (
    r"(OSI Approved :: )?MIT(-0| No Attribution)?( License)?|MIT-CMU|Expat|HPND",
    r"BSD.*|.*BSD License|0BSD|3-Clause BSD License",
    r"Apache.*|ISC.*|PSF.*|Python Software Foundation License|Python-2\.0(\.1)?|CNRI-Python|Zlib",
    r"(The )?Unlicense.*|any-OSI",
    r"Mozilla Public License.*|MPL-2\.0.*|LGPL.*|GNU Lesser General Public License.*|GNU Library or Lesser.*",
    r"(A?GPL-3\.0.*|GNU (Affero )?General Public License v3.*|GPL-2\.0-or-later.*)",
    r"CC0.*|Public Domain.*|BlueOak.*|PostgreSQL( License)?|CC-BY-4\.0|CC-BY-3\.0|Artistic-2\.0|WTFPL|OFL-1\.1",
)
# What a package's own words leave open, looked up by hand.
LOOKED_UP = {
    "qrcode": "BSD-3-Clause; the “other” is the MIT licence of the code that it began from",
}


class Away(Exception):
    """A registry could not be asked: nothing is known."""


class Found(Exception):
    """Something that has to be looked at; the text says what."""


def run(*command: str | Path, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command], cwd=folder, capture_output=True, text=True, check=False, timeout=600
    )


def weaknesses() -> str:
    """Look through the pinned Python packages."""
    told = []
    for name in PINNED:
        pinned = ROOT / "requirements" / f"{name}.txt"
        command = (BIN / "pip-audit", "--requirement", pinned, "--require-hashes", "--disable-pip")
        done = run(*command, "--progress-spinner", "off", "--format", "json")
        try:
            packages = json.loads(done.stdout)["dependencies"]
        except (ValueError, KeyError):
            raise Away(last_line(done.stderr)) from None
        # pip-audit counts what it could not look up as well as what is fine.
        skipped = [package["name"] for package in packages if "skip_reason" in package]
        weak = [
            f"{package['name']} {package['version']} ({', '.join(each['id'] for each in package['vulns'])})"
            for package in packages
            if package.get("vulns")
        ]
        if weak:
            raise Found(", ".join(weak))
        if skipped:
            raise Away(f"{len(skipped)} of {len(packages)} packages of {name}.txt could not be looked up")
        told.append(f"{len(packages)} packages of {name}.txt")
    return "no known weakness; " + ", ".join(told)


def components() -> str:
    """Write artifacts/sbom.cdx.json (CycloneDX 1.5): everything that is pinned. It asks nobody."""
    found = []
    for name, version, rest in re.findall(
        r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)((?: *\\\n +--hash=\S+)*)",
        (ROOT / "requirements" / "production.txt").read_text("utf-8"),
        re.MULTILINE,
    ):
        hashes = [{"alg": "SHA-256", "content": each} for each in re.findall(r"sha256:([0-9a-f]{64})", rest)]
        found.append(_component(f"pkg:pypi/{name.lower()}@{version}", name, version, hashes))
    for folder in ("assets", "sites"):
        lock = json.loads((ROOT / folder / "package-lock.json").read_text("utf-8"))
        for path, package in lock["packages"].items():
            if "node_modules/" in path and "version" in package:
                name = path.rpartition("node_modules/")[2]
                purl = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
                found.append(_component(purl, name, package["version"], []))
    every = {component["purl"]: component for component in found}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "consult", "bom-ref": "consult"}},
        "components": sorted(every.values(), key=lambda component: str(component["purl"])),
    }
    ARTIFACTS.mkdir(exist_ok=True)
    (ARTIFACTS / "sbom.cdx.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return f"{len(every)} in artifacts/sbom.cdx.json"


def _component(purl: str, name: str, version: str, hashes: list[dict[str, str]]) -> dict[str, object]:
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        **({"hashes": hashes} if hashes else {}),
    }


def npm(folder: str) -> Callable[[], str]:
    """Look through what a folder's lock file pins; what is only there to build counts too."""

    def step() -> str:
        if shutil.which("npm") is None:
            raise Away("npm is not on this machine")
        done = run("npm", "audit", "--json", "--package-lock-only", folder=ROOT / folder)
        try:
            report = json.loads(done.stdout)
        except ValueError:
            raise Away(last_line(done.stderr)) from None
        if "error" in report or "metadata" not in report:
            raise Away(str(report.get("message") or report.get("error") or "no report")[:200])
        counted: dict[str, int] = report["metadata"]["vulnerabilities"]
        if counted["total"]:
            names = ", ".join(sorted(report.get("vulnerabilities", {})))
            raise Found(f"{names}: " + ", ".join(f"{number} {kind}" for kind, number in counted.items() if number))
        return f"no known weakness; {report['metadata']['dependencies']['total']} packages"

    return step


def licences() -> str:
    """List the licences of what is installed; refuse one that does not go with AGPL-3.0."""
    done = run(BIN / "pip-licenses", "--format", "json", "--with-urls", "--from", "mixed")
    if done.returncode:
        raise Found(last_line(done.stderr))
    packages = json.loads(done.stdout)
    ARTIFACTS.mkdir(exist_ok=True)
    (ARTIFACTS / "licences.json").write_text(done.stdout, encoding="utf-8")
    wrong = unaccepted(packages)
    if wrong:
        raise Found("not known to go with AGPL-3.0: " + ", ".join(wrong))
    return f"{len(packages)} packages, all under licences that go with AGPL-3.0"


def unaccepted(packages: list[dict[str, str]]) -> list[str]:
    """Return "name (licence)" of each whose licence we have not accepted. Of several with OR, one is enough."""
    accepted = re.compile("|".join(f"(?:{one})" for one in ACCEPTED))
    wrong = []
    for package in packages:
        said = package["License"]
        every = [part.strip(" ()") for part in re.split(r"; | AND ", said)]
        if package["Name"] not in LOOKED_UP and not all(
            any(accepted.fullmatch(one.strip(" ()")) for one in part.split(" OR ")) for part in every
        ):
            wrong.append(f"{package['Name']} ({said})")
    return wrong


def last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no answer"


STEPS: dict[str, Callable[[], str]] = {
    "Components": components,
    "Python packages": weaknesses,
    "npm: assets": npm("assets"),
    "npm: sites": npm("sites"),
    "Licences": licences,
}


def main() -> int:
    failed, away = [], []
    for title, step in STEPS.items():
        try:
            sys.stdout.write(f"  ✓ {title}: {step()}\n")
        except Found as found:
            failed.append(title)
            sys.stdout.write(f"  ✗ {title}: {found}\n")
        except (Away, subprocess.TimeoutExpired) as reason:
            away.append(title)
            sys.stdout.write(f"  ? {title}: the registry could not be asked ({reason})\n")
        sys.stdout.flush()
    if failed:
        sys.stdout.write(f"FAILED: to look at: {', '.join(failed)}.\n")
    if away:
        sys.stdout.write(f"NOT LOOKED AT, the network or a registry is away: {', '.join(away)}. Run it again.\n")
    if not failed and not away:
        sys.stdout.write("All of `make audit` passed.\n")
    return 1 if failed else 2 if away else 0


if __name__ == "__main__":
    sys.exit(main())
