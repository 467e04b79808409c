"""How people ask for readiness rules of a kind, as regular expressions over lower case, for those rules that are asked for alike.

What is reported ("we were paged for errors") asks for no rule; what is asked or imagined ("would anybody be told?") does.
"""

from __future__ import annotations

_ASKING = r"\b(?:would|will|does|do|is|are|should|could|can|gets?|if|when|whether|how|who)\b"
_WHO = r"\b(?:any(?:body|one)|some(?:body|one)|no(?:body|[ -]one)|on-?call|who(?:ever)?|the team|we|us|people)\b"
_TOLD = r"\b(?:told|paged?|alerted|alerts?|alarms?|notified|notices?|hears?|woken|wakes?|warned|warns?|learns?|finds? out)\b"
_RULES = r"\b(?:alerts?|alerting|alarms?|alert rules?)\b"
_NONE = r"\b(?:no|any|an|which|have|has|missing|lacks?|lacking|without|there)\b"


def asking(words: str, within: int = 60) -> tuple[str, ...]:
    """What is asked about in these words, soon after a word that asks."""
    return (rf"\b(?:would|will|does|do|is|are|could|can|may|might|has|have|which|what|any|who|whose|where|whether|how|if)\b[^.?!]{{0,{within}}}?(?:{words})",)  # fmt: skip


def nobody_told(of: str) -> tuple[str, ...]:
    """Whether anybody is told of what `of` names, in either order, or whether a rule watches it."""
    return (
        rf"{_ASKING}[^.?!]{{0,40}}?{_WHO}[^.?!]{{0,40}}?{_TOLD}[^.?!]{{0,100}}?(?:{of})",
        rf"(?:{of})[^.?!]{{0,80}}?{_ASKING}[^.?!]{{0,40}}?{_WHO}[^.?!]{{0,40}}?{_TOLD}",
        rf"\b(?:would|will|does|do|if)\b[^.?!]{{0,60}}?(?:{of})[^.?!]{{0,80}}?{_WHO}[^.?!]{{0,40}}?{_TOLD}",
        rf"{_NONE} (?:[\w'-]+ ){{0,3}}?{_RULES}(?! (?:fired?|fires|rang|went|came))[^.,;?!]{{0,100}}?(?:{of})",
        rf"{_ASKING}[^.?!]{{0,60}}?(?:{of})[^.?!]{{0,60}}?(?:covered by|trigger|raise|fire|cause|ring)[^.?!]{{0,20}}?(?:{_RULES}|page)",
    )


def not_measured(what: str) -> tuple[str, ...]:
    """Whether anything measures what `what` names."""
    measured = r"(?:metrics?|series|export\w*|measur\w*|scrap\w*|collect\w*|monitor\w*|watch\w*|record\w*|track\w*|graphs?|dashboards?|panels?)"
    return (
        rf"\b(?:do|does|is|are|which|have we|has any(?:body|one)|can|could|would)\b[^.?!]{{0,60}}?\b{measured}\b[^.?!]{{0,60}}?(?:{what})",
        rf"\b(?:do|does|is|are|which|have we|has any(?:body|one)|can|could|would)\b[^.?!]{{0,60}}?(?:{what})[^.?!]{{0,60}}?\b{measured}\b",
    )
