"""A notice as HTML mail: everything that came from data is escaped, a missing value is an error.

Belongs here: the template and filling it. Does not belong here: the words (notice.py).
"""

from __future__ import annotations

from functools import lru_cache

from jinja2 import Environment, StrictUndefined, Template

from resilience_assets.alerting.notice import NoticeText
from resilience_assets.domain.scales import AlertSeverity

COLOURS = {
    AlertSeverity.INFO: "#2b6cb0", AlertSeverity.WARNING: "#b7791f", AlertSeverity.CRITICAL: "#c53030",
    AlertSeverity.EMERGENCY: "#742a2a",
}  # fmt: skip
OVER = "#2f855a"

_TEMPLATE = """\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{{ subject }}</title></head>
<body style="font-family: sans-serif; color: #1a202c; max-width: 40em">
<p style="border-left: 6px solid {{ colour }}; padding-left: 10px"><strong style="color: {{ colour }}">{{ word }}</strong><br>{{ headline }}</p>
{%- for point in points %}
<p style="margin: 4px 0">{{ point }}</p>
{%- endfor %}
{%- if covers %}
<p style="margin-bottom: 0"><strong>Who may cover</strong></p>
<ul>
{%- for line in covers %}
<li>{{ line }}</li>
{%- endfor %}
</ul>
{%- endif %}
{%- for line in to_do %}
<p style="margin: 4px 0">{{ line }}</p>
{%- endfor %}
</body>
</html>
"""


@lru_cache(maxsize=1)
def _template() -> Template:
    # autoescape: a service may be called <script>; StrictUndefined: a gap in a message is a bug, not a blank
    return Environment(autoescape=True, undefined=StrictUndefined).from_string(_TEMPLATE)


def notice_html(text: NoticeText) -> str:
    """One self-contained page: no script, no style sheet, no picture, nothing to fetch."""
    over = text.subject.startswith("[over]")
    return _template().render(
        subject=text.subject, headline=text.headline, points=text.points, covers=text.covers, to_do=text.to_do,
        colour=OVER if over else COLOURS[text.severity], word="over" if over else text.severity.text,
    )  # fmt: skip
