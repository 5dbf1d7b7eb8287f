"""Filings, their findings, decisions and consents."""
