#!/usr/bin/env python3
"""Fetch browser libraries and emotes with npm and write the files we serve into web/vendor, with their checksums."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from schemas.emotes import GLOBAL_EMOTES

VENDOR = Path(__file__).parent.parent / "web" / "vendor"

PACKAGES: dict[str, tuple[str, ...]] = {
    "hls.js@1.7.4": ("dist/hls.min.js", "LICENSE"),
    "dashjs@5.2.1": ("dist/modern/umd/dash.mediaplayer.min.js", "LICENSE.md"),
    "swagger-ui-dist@5.35.0": ("swagger-ui-bundle.js", "swagger-ui.css", "LICENSE", "NOTICE"),
    "redoc@2.5.4": ("bundles/redoc.standalone.js", "bundles/redoc.standalone.js.LICENSE.txt", "LICENSE"),
    "@twemoji/svg@15.0.0": ("license", *(f"{emote_id}.svg" for emote_id in GLOBAL_EMOTES.values())),
}

PICTURES = {"@twemoji/svg": "MIT AND CC-BY-4.0"}
"""Licences where the package names only that of its making: Twemoji's drawings are under CC BY 4.0."""

REDOC_LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
"""Redoc loads its badge from a CDN; the pages must work without the outside, so the address becomes an empty image."""


def main() -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is not on the PATH; it is needed to renew web/vendor, never to serve it.")
    manifest = []
    for package, members in PACKAGES.items():
        name, _, version = package.rpartition("@")
        target = VENDOR / name
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        with tempfile.TemporaryDirectory() as scratch:
            subprocess.run([npm, "pack", "--silent", package], cwd=scratch, check=True)
            (archive,) = Path(scratch).glob("*.tgz")
            with tarfile.open(archive) as tar:
                licence = PICTURES.get(name) or json.loads(_member(tar, "package.json"))["license"]
                for member in members:
                    (target / Path(member).name).write_bytes(_without_cdn(_member(tar, member)))
        files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(target.iterdir())}
        manifest.append({"package": name, "version": version, "license": licence, "sha256": files})
    (VENDOR / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    found = tar.extractfile(f"package/{name}")
    if found is None:
        raise SystemExit(f"{name} is not in the package; has its layout changed?")
    return found.read()


def _without_cdn(content: bytes) -> bytes:
    lines = content.replace(REDOC_LOGO, b"data:,").splitlines(keepends=True)
    # The source maps are not vendored; a dangling reference would be asked for by every open developer console.
    return b"".join(line for line in lines if not line.startswith((b"//# sourceMappingURL=", b"/*# sourceMappingURL=")))


if __name__ == "__main__":
    main()
