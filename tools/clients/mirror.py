# SPDX-License-Identifier: MIT
"""What the drivers of the Python clients share. Every answer that comes through `requests` is noted, and in the end
judged by the same rules as those of the JavaScript clients (mirror.mjs)."""
import json
import os
import re
import subprocess
import sys
import traceback

import requests

HERE = os.path.dirname(os.path.abspath(__file__))
BASE = os.environ["MIRROR_URL"]
KEY = "0123456789abcdef0123456789abcdef"
with open(os.environ["MIRROR_WORLD"], encoding="utf-8") as file:
    WORLD = json.load(file)
with open(os.path.join(HERE, "not_served.json"), encoding="utf-8") as file:
    NOT_SERVED = json.load(file)

_log = []
_failures = []
_counts = {"asked": 0, "refused": 0}
_asking = [""]
_send = requests.Session.send


def note(url, status, text):
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    _log.append({"name": _asking[0], "url": url, "status": status, "body": body})


def _noted_send(self, request, **how):
    answer = _send(self, request, **how)
    note(request.url, answer.status_code, answer.text)
    return answer


requests.Session.send = _noted_send


def check(holds, words):
    if not holds:
        raise AssertionError(words)


def same(got, wanted, what):
    check(got == wanted, f"{what} is {str(got)[:200]!r}, not {str(wanted)[:200]!r}")


def _not_served(one):
    path = re.sub(r"^https?://[^/]*|\?.*", "", one["url"])
    for row in NOT_SERVED:
        pattern = re.escape(row["path"]).replace(r"\*\*", ".+").replace(r"\*", "[^/]+")
        if re.fullmatch(pattern, path) and one["status"] == row["status"]:
            return True
    return False


def ask(name, question, look=None):
    """One question; `look(answer)` may say more than the judge does."""
    _counts["asked"] += 1
    _asking[0] = name
    before = len(_log)
    try:
        answer = question()
        bad = [one for one in _log[before:] if one["status"] != 200]
        check(not bad, f"HTTP {bad[0]['status']}" if bad else "")
        if look:
            look(answer)
    except Exception as error:  # whatever a client throws
        refused = [one for one in _log[before:] if one["status"] != 200]
        if refused and all(_not_served(one) for one in refused):
            _counts["refused"] += 1
            return
        where = traceback.extract_tb(error.__traceback__)[-1]
        asked = _log[-1]["url"] if len(_log) > before else "no request"
        _failures.append(f"{name}: {type(error).__name__}: {error} at {os.path.basename(where.filename)}:{where.lineno} ({asked})")


def end(client):
    """Prints the count and ends the process."""
    if not os.environ.get("CLIENTS_NODE_BINARY"):
        os.environ["CLIENTS_NODE_BINARY"] = "node"
    judged = subprocess.run([os.environ["CLIENTS_NODE_BINARY"], os.path.join(HERE, "judge_log.mjs")], text=True, check=False,
                            input="".join(json.dumps(one) + "\n" for one in _log), stdout=subprocess.PIPE)
    if judged.returncode not in (0, 1):
        print("judge_log.mjs did not work: see above")
    for failure in _failures:
        print("FAILED " + failure)
    print(judged.stdout, end="")
    bad = len(_failures) + judged.stdout.count("FAILED ")
    print(f"{client}: {_counts['asked']} questions, {len(_log)} requests, {_counts['refused']} not served by design, {bad} failed")
    sys.exit(1 if bad or judged.returncode or _counts["asked"] == _counts["refused"] else 0)
