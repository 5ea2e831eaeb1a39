"""What is learnt of an open incident beside the verdicts: a sharper blame, and what its bisect canary came to."""

from dataclasses import replace

from canary.blame import Stop
from canary.incident import Bisected, Change, IncidentId, Progress, Transition
from canary.signature import CanaryId


def sharpen(progress: Progress, canary_id: CanaryId, stop: Stop) -> tuple[Progress, tuple[Change, ...]]:
    """Note a better known blame of the canary that opened the incident, or began it; counters stay."""
    incident = progress.target
    if incident is None or canary_id not in {incident.opened_by, incident.first_canary}:
        return progress, ()
    if stop in {incident.stop, incident.sharper}:
        return progress, ()
    changed = replace(incident, sharper=stop)
    return replace(progress, target=changed), (Change(changed, Transition.CHANGED),)


def note_bisected(
    progress: Progress, incident_id: IncidentId, bisected: Bisected
) -> tuple[Progress, tuple[Change, ...]]:
    """Note what the bisect canary of the open incident came to; repeatable."""
    incident = progress.target
    if incident is None or incident.id != incident_id or incident.bisected == bisected:
        return progress, ()
    changed = replace(incident, bisected=bisected)
    return replace(progress, target=changed), (Change(changed, Transition.CHANGED),)
