"""Does the DNS hook know a project's hosts? What a person is told of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from supaplane_contract.status import Condition, ConditionType, ProjectStatus, Reason

from .dns_answer import Answer, Heard
from .dns_ledger import Ledger


def condition(ledger: Ledger, answers: Mapping[int, Answer], previous: ProjectStatus) -> Condition:
    """The condition DNSReady, without generation and transition time."""
    untold = list(ledger.untold)
    if not untold:
        return _all_told(ledger)
    for heard, reason in _TROUBLES.items():
        for host, entry in untold:
            answer = answers.get(entry.revision)
            if answer is not None and answer.heard is heard:
                told = f"the DNS hook did not take {entry.event} of {host}: {answer.told}"
                return _condition("False", reason, told)
    before = previous.condition(ConditionType.DNS_READY)
    if before is not None and before.status == "False":
        return before  # until an answer says something else
    waiting = ", ".join(host for host, _ in untold)
    return _condition("Unknown", Reason.DNS_PENDING, f"the DNS hook is being told of {waiting}")


_TROUBLES = {
    Heard.REFUSED: Reason.DNS_HOOK_REFUSED,
    Heard.FAILED: Reason.DNS_HOOK_UNAVAILABLE,
}


def _all_told(ledger: Ledger) -> Condition:
    hosts = ", ".join(sorted(ledger.entries))
    if not hosts:
        told = "no host of this project leads into the cluster"
        return _condition("True", Reason.NO_PUBLIC_HOST, told)
    return _condition("True", Reason.DNS_ACKNOWLEDGED, f"the DNS hook knows {hosts}")


def _condition(status: str, reason: Reason, message: str) -> Condition:
    return Condition(
        type=ConditionType.DNS_READY.value,
        status=status,
        reason=reason.value,
        message=message,
    )
