"""A site follows the registration it rests on."""

from __future__ import annotations

import pytest

from auth.actor import SYSTEM
from auth.roles import Role
from tests.workflows.cases import person
from workflows.machine import Forbidden, Refused
from workflows.rules.facts import RegistrationStatus
from workflows.site import FOLLOWING, SITE, Act, SiteFacts, State, cause_of, follow

CAUSE = {"cause": "register:SUSPENDED"}


def test_a_suspended_registration_suspends_and_its_return_restores() -> None:
    suspended = follow(State.EFFECTIVE, None, RegistrationStatus.SUSPENDED)
    assert suspended is State.SUSPENDED
    cause = cause_of(RegistrationStatus.SUSPENDED)
    assert follow(suspended, cause, RegistrationStatus.ACTIVE) is State.EFFECTIVE


@pytest.mark.parametrize(
    "status", [RegistrationStatus.CANCELLED, RegistrationStatus.REVOKED, RegistrationStatus.WITHDRAWN]
)
def test_a_lost_registration_ends_the_site_and_nothing_brings_it_back(status: RegistrationStatus) -> None:
    for state in (State.EFFECTIVE, State.SUSPENDED):
        assert follow(state, None, status) is State.LAPSED
    assert follow(State.LAPSED, cause_of(status), RegistrationStatus.ACTIVE) is State.LAPSED


def test_the_register_does_not_lift_what_it_did_not_impose() -> None:
    assert follow(State.SUSPENDED, "sanction:1", RegistrationStatus.ACTIVE) is State.SUSPENDED
    with pytest.raises(Refused, match="not_by_the_register"):
        SITE.decide(State.SUSPENDED, Act.RESTORE, SYSTEM, SiteFacts("sanction:1"), CAUSE)


def test_the_same_status_again_changes_nothing() -> None:
    assert follow(State.EFFECTIVE, None, RegistrationStatus.ACTIVE) is State.EFFECTIVE
    assert follow(State.SUSPENDED, "register:SUSPENDED", RegistrationStatus.SUSPENDED) is State.SUSPENDED


def test_nobody_but_the_register_moves_a_site() -> None:
    for role in Role:
        with pytest.raises(Forbidden):
            SITE.decide(State.EFFECTIVE, Act.SUSPEND, person("x", (role, "460000")), SiteFacts(), CAUSE)


def test_a_site_moves_only_for_a_stated_cause() -> None:
    with pytest.raises(Refused, match="cause is required"):
        SITE.decide(State.EFFECTIVE, Act.SUSPEND, SYSTEM, SiteFacts(), {})


def test_every_status_of_a_registration_has_a_consequence() -> None:
    assert set(FOLLOWING) == set(RegistrationStatus)
