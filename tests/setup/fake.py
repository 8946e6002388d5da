#!/usr/bin/env python3
"""Answers like another program, from what was written down of it; logs what it was asked.

``$FAKES/rules.json`` is a list of rules, of which the first that fits answers:
``asked`` (a pattern of the whole command), ``after``/``before`` (a mark that
has to be there, or not yet), ``marks``, ``out``, ``err``, ``ends``.
"""

import json
import os
import re
import sys
from pathlib import Path

folder = Path(os.environ["FAKES"])
asked = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
given = sys.stdin.read() if "=-" in asked else ""
with (folder / "log").open("a") as log:
    log.write(json.dumps([asked, given]) + "\n")
for rule in json.loads((folder / "rules.json").read_text()):
    after, before = rule.get("after"), rule.get("before")
    fits = re.search(rule["asked"], asked + "\n" + given)
    if fits and (not after or (folder / after).exists()) and (not before or not (folder / before).exists()):
        if mark := rule.get("marks"):
            (folder / mark).touch()
        sys.stdout.write(rule.get("out", ""))
        sys.stderr.write(rule.get("err", ""))
        sys.exit(rule.get("ends", 0))
sys.stderr.write(f"nothing is written down for: {asked}\n")
sys.exit(64)
