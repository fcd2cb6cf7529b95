"""What does a pass stand on? The cluster, what is known of it, the clock, randomness, settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from supaplane_contract.credentials import RandomBytes
from supaplane_kube import Kube

from .apply import Applier
from .catalogue import Catalogue
from .certificates import Certificates
from .children import Children
from .dns_hook import DnsHook
from .events import Herald
from .news import News
from .podwatch import PodTroubles
from .projects import Key, Projects
from .render import Rendered, RenderInput
from .report import Reporter
from .rollout import Fleet
from .settings import Settings
from .settled import Memory


@dataclass
class World:
    """Everything outside of one pass. Nothing in it is needed after a restart."""

    kube: Kube
    settings: Settings
    cluster_uid: str
    children: Children
    projects: Projects
    reporter: Reporter
    herald: Herald
    applier: Applier
    pods: PodTroubles
    certificates: Certificates
    fleet: Fleet
    dns: DnsHook | None
    catalogue: Catalogue
    render: Callable[[RenderInput], Rendered]
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    random_bytes: RandomBytes
    news: News = field(default_factory=News)
    memories: dict[Key, Memory] = field(default_factory=dict)
    look_closely: set[Key] = field(default_factory=set)
    """Projects of which the kinds that are not watched are to be compared at the next pass."""

    def memory(self, key: Key) -> Memory:
        """What is remembered of a project."""
        return self.memories.setdefault(key, Memory())

    def forget(self, key: Key) -> None:
        """The project is gone."""
        self.memories.pop(key, None)
        self.look_closely.discard(key)
        self.reporter.forget(key)
        self.news.forget(key)
        self.fleet.leave(key)
        if self.dns is not None:
            self.dns.forget(key)
