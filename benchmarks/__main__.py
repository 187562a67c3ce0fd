"""All of what `docs/performance.md` is made from: `python -m benchmarks [--quick] [name ...]`.

Each part runs in a process of its own and prints Markdown, which takes the place of what stood between the part's two
marks in `docs/performance.md`; what is said about the figures stays. A part without marks there is only printed: its
figures stand where another document speaks of what it measures. `--quick` takes about ten minutes: it shows that
everything runs, prints the same tables, and leaves the document alone.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

from tests.instance import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"

# Of each part: what it is given, and what when it shall be quick; None: it is left out then.
PARTS: dict[str, tuple[list[str], list[str] | None]] = {
    "startup": ([], None),
    "sentiment": ([], ["500"]),
    "scale": ([], ["500"]),
    "peers": ([], None),
    "cycle": ([], None),
    "nodes": ([], None),
    "network": ([], ["10000"]),
    "cluster": ([], None),
    "api": ([], None),
    "delta": ([], None),
    "layout": ([], None),
    "quality": ([], None),
    "publishing": ([], None),
    "recording": ([], None),
}


def measured(name: str, arguments: list[str]) -> str:
    """What a part prints, which is shown as it comes.

    Raises:
        SystemExit: it failed.
    """
    lines: list[str] = []
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as part:
        for line in part.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    if part.returncode:
        sys.exit(f"benchmarks.{name} failed.")
    return "".join(lines).strip()


def placed(document: str, name: str, figures: str) -> str:
    """The document with these figures between the marks of a part, where it has them."""
    marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    return marks.sub(lambda found: f"{found[1]}{figures}\n{found[2]}", document, count=1)


def main(arguments: list[str], document: Path = DOCUMENT) -> None:
    """Run the parts that are named, all by default."""
    is_quick = "--quick" in arguments
    names = [name for name in arguments if not name.startswith("--")] or list(PARTS)
    for name in names:
        given, few = PARTS[name]
        wanted = few if is_quick else given
        if wanted is None:
            continue
        began = time.monotonic()
        print(f"\n## {name}\n", flush=True)
        figures = measured(name, wanted)
        print(f"\n{name}: {time.monotonic() - began:.0f} s", flush=True)
        if not is_quick:
            document.write_text(placed(document.read_text(encoding="utf-8"), name, figures), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
