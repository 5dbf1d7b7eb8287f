"""The main job over HTTP, as its users do it: file, consent, review, verify. What the demo shows, and what it proves."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
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

    def attach(self, who: str, filing: Mapping[str, Any], paper: bytes, kind: str) -> None:
        mark = uuid.uuid4().hex
        parts = (
            f'--{mark}\r\nContent-Disposition: form-data; name="kind"\r\n\r\n{kind}\r\n'
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="consent.pdf"\r\n'
            "Content-Type: application/pdf\r\n\r\n"
        ).encode()
        raw = parts + paper + f"\r\n--{mark}--\r\n".encode()
        self.call(
            who, "POST", f"/filings/{filing['id']}/attachments", raw=raw, kind=f"multipart/form-data; boundary={mark}"
        )

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


def main_job(visitor: Visitor, person: Mapping[str, str], institution: str, today: date) -> list[str]:
    """File one physician of another province and see the practice verified; a line for each step."""
    code = person["执业证书编码"]
    ask = f"/verify?{urllib.parse.urlencode({'practising_code': code, 'institution': institution, 'name': person['姓名']})}"
    first = visitor.call("verifier", "GET", ask)
    filing = visitor.call("filer", "POST", "/filings", _body(person, institution, today))
    lines = [
        f"filed      {filing['number']} {filing['type']}: {filing['state']}; before it, verify said {first['answer']}"
    ]
    visitor.attach("filer", filing, _PAPER + code.encode(), "main_consent")
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
