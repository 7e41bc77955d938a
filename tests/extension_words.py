"""What the server says of failures, in the extension's languages, is what the dashboard says: ``python3 dev.py check``.

English comes from the server itself. ``--fix`` copies the words.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
GROUPS = ("failure", "refusal")


def main() -> int:
    """1 where words differ and are not to be copied."""
    differ = []
    for path in sorted((ROOT / "extension/_locales").glob("*/messages.json")):
        words = json.loads((ROOT / f"assets/words/{path.parent.name}.json").read_text("utf-8"))
        present = path.read_text("utf-8")
        own, copied, _ = present.partition(f'  "{GROUPS[0]}_')
        own = own.rstrip().removesuffix("," if copied else "}").rstrip()
        expected = own + "".join(f",\n\n{lines(group, words[group])}" for group in GROUPS if group in words) + "\n}\n"
        if present == expected:
            continue
        differ.append(path.relative_to(ROOT))
        if "--fix" in sys.argv:
            path.write_text(expected, "utf-8")
    if not differ or "--fix" in sys.argv:
        return 0
    print(*differ, "say other things than assets/words: python3 dev.py check --fix")
    return 1


def lines(group: str, words: dict[str, str]) -> str:
    return ",\n".join(
        f'  "{group}_{code.replace("-", "_")}": {{ "message": {json.dumps(text, ensure_ascii=False)} }}'
        for code, text in words.items()
    )


if __name__ == "__main__":
    sys.exit(main())
