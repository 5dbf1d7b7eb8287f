"""Signed receipts: what was asked, what was answered and when, provable to anybody who has the public key."""

from __future__ import annotations

from datetime import datetime

from auth.keys import Signer
from auth.tokens import sign
from registry.verification.answer import Answer
from registry.verification.question import Question, rfc3339

TYP = "receipt+jwt"  # never at+jwt: a receipt opens nothing (RFC 8725, 3.11)


def receipt(question: Question, answer: Answer, jti: str, *, issuer: str, signer: Signer, now: datetime) -> str:
    """A compact JWS (RFC 7515) with the claims `iss iat jti question answer as_of source_age_s`.

    Without `aud`, so that no reader of tokens can take it for one, and without anybody's name.
    """
    claims = {
        "iss": issuer,
        "iat": int(now.timestamp()),
        "jti": jti,
        "question": question.stated(),
        "answer": answer.verdict,
        "as_of": rfc3339(answer.as_of),
        "source_age_s": answer.source_age,
    }
    return sign({"typ": TYP}, claims, signer)
