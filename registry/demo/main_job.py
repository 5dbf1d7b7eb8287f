"""The main job over HTTP, as its users do it: file, consent, review, verify. What the demo shows, and what it proves."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from registry.demo.sample import SignIns

# A demo of one machine talks to itself: never through a proxy of the environment.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_PAPER = b"%PDF-1.4\n% signed consent of the main institution (demo)\n"


@dataclass
class Visitor:
    """Somebody who uses the service through its public door."""

    base: str
    sign_ins: SignIns
    _tokens: dict[str, str] = field(default_factory=dict)

    def call(
        self, who: str, method: str, path: str, body: object = None, raw: bytes | None = None, kind: str = ""
    ) -> Any:
        """The JSON answer; RuntimeError with the service's own words when it refuses."""
        headers = {"Authorization": f"Bearer {self._token(who)}", "Idempotency-Key": str(uuid.uuid4())}
        content = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        if content is not None:
            headers["Content-Type"] = kind or "application/json"
        return self._send(urllib.request.Request(f"{self.base}/api/v1{path}", content, headers, method=method))  # noqa: S310

    def act(self, who: str, filing: Mapping[str, Any], name: str, **more: object) -> dict[str, Any]:
        body = {"act": name, "revision": filing["revision"], **more}
        moved: dict[str, Any] = self.call(who, "POST", f"/filings/{filing['id']}/acts", body)
        return moved

    def wait(self, who: str, path: str, states: set[str]) -> dict[str, Any]:
        """The object once its state is one of these."""
        while True:
            found: dict[str, Any] = self.call(who, "GET", path)
            if found["state"] in states:
                return found
            time.sleep(0.5)

    def upload(self, who: str, path: str, fields: Mapping[str, str], file: Path) -> Any:
        mark = uuid.uuid4().hex
        part = f'--{mark}\r\nContent-Disposition: form-data; name="{{name}}"{{more}}\r\n\r\n'
        raw = b"".join(f"{part.format(name=name, more='')}{value}\r\n".encode() for name, value in fields.items())
        raw += part.format(name="file", more=f'; filename="{file.name}"').encode() + file.read_bytes()
        kind = f"multipart/form-data; boundary={mark}"
        return self.call(who, "POST", path, raw=raw + f"\r\n--{mark}--\r\n".encode(), kind=kind)

    def _token(self, who: str) -> str:
        if who not in self._tokens:
            form = {"grant_type": "password", "username": who, "password": self.sign_ins.password}
            request = urllib.request.Request(f"{self.base}/auth/token", urllib.parse.urlencode(form).encode())  # noqa: S310
            self._tokens[who] = self._send(request)["access_token"]
        return self._tokens[who]

    def _send(self, request: urllib.request.Request) -> Any:
        try:
            with _OPENER.open(request, timeout=30) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as refusal:
            raise RuntimeError(
                f"{request.method} {request.selector.partition('?')[0]}: {refusal.read().decode()}"
            ) from None


def main_job(visitor: Visitor, person: Mapping[str, str], institution: str, paper: Path, today: date) -> list[str]:
    """File one physician of another province and see the practice verified; a line for each step."""
    code = person["执业证书编码"]
    ask = f"/verify?{urllib.parse.urlencode({'practising_code': code, 'institution': institution, 'name': person['姓名']})}"
    first = visitor.call("verifier", "GET", ask)
    filing = visitor.call("filer", "POST", "/filings", _body(person, institution, today))
    lines = [
        f"filed      {filing['number']} {filing['type']}: {filing['state']}; before it, verify said {first['answer']}"
    ]
    paper.write_bytes(_PAPER + code.encode())
    visitor.upload("filer", f"/filings/{filing['id']}/attachments", {"kind": "main_consent"}, paper)
    filing = visitor.act("filer", visitor.call("filer", "GET", f"/filings/{filing['id']}"), "propose")
    shown = visitor.call("physician", "GET", f"/filings/{filing['id']}")
    filing = visitor.act("physician", shown, "consent", text_sha256=shown["consent_sha256"])
    lines.append(f"consented  by the physician to text {shown['consent_sha256'][:16]}…: {filing['state']}")
    for act in ("claim", "accept", "approve"):
        filing = visitor.act("reviewer", filing, act)
    lines.append(f"reviewed   claimed, accepted, approved: {filing['state']}")
    last = visitor.call("verifier", "GET", ask)
    lines.append(f"verified   {last['answer']} here and now; receipt {last['receipt'][:24]}…")
    return lines


def roster_job(visitor: Visitor, roster: Path, institution: str) -> list[str]:
    """Upload a roster, file what may be filed, attest it; a line for each step."""
    job = visitor.upload("filer", "/rosters", {"institution": institution}, roster)
    judged = visitor.wait("filer", f"/rosters/{job['id']}", {"judged", "failed"})
    found = ", ".join(f"{count} {outcome}" for outcome, count in judged["counts"].items() if count)
    lines = [f"roster     {judged['rows']} rows of {roster.name} judged: {found}"]
    visitor.call("filer", "POST", f"/rosters/{job['id']}/acts", {"act": "file"})
    visitor.call("manager", "POST", f"/rosters/{job['id']}/acts", {"act": "attest"})
    done = visitor.wait("filer", f"/rosters/{job['id']}", {"submitted", "failed"})
    lines.append(f"           {done['filed']} filed, {done['submitted']} attested and waiting for review")
    return lines


def _body(person: Mapping[str, str], institution: str, today: date) -> dict[str, Any]:
    return {
        "physician": {
            "name": person["姓名"],
            "id_type": person["证件类型"],
            "id_number": person["证件号码"],
            "practising_code": person["执业证书编码"],
            "qualification_code": person["资格证书编码"],
        },
        "institution": institution,
        "category": person["执业类别"],
        "scopes": [person["执业范围"]],
        "valid_from": today.isoformat(),
        "valid_to": (today + timedelta(days=365)).isoformat(),
    }
