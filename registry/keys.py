"""The keys this node works with: a demo makes what is missing, production only takes what an operator made."""

from __future__ import annotations

from datetime import datetime

from auth.keys import KeyStore
from registry.sealed import Seal
from registry.settings import Settings, SettingsError


def open_keys(settings: Settings, now: datetime) -> KeyStore:
    """The key store of these settings, complete. Raises `SettingsError` and `auth.errors.KeyFault`."""
    store = KeyStore(settings.keys)
    if settings.demo:
        store.make_missing(now, generated=True)
        return store
    if missing := store.missing():
        raise SettingsError(f"REGISTRY_KEY_DIR: no key for {', '.join(missing)} (registry keys new)")
    if generated := store.generated(now):
        raise SettingsError(
            f"REGISTRY_KEY_DIR: keys of a demo for {', '.join(generated)} (registry keys rotate; for the log, another folder)"
        )
    return store


class Sealing:
    """The seal of a running process: made again when a rotation has added a master key, so that no process lags behind."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._kids: tuple[int, ...] = ()
        self._seal: Seal | None = None

    def __call__(self) -> Seal:
        masters = self._keys.masters()
        if self._seal is None or tuple(masters) != self._kids:
            self._kids, self._seal = tuple(masters), Seal(masters)
        return self._seal
