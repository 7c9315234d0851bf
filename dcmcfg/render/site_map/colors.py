"""The colours of a map, for light and for dark displays, and the dashes of its lines.

Text in the colour of an edge has a contrast of at least 4.5:1 on paper and card (WCAG 2.2, 1.4.3). Kinds of one family
share a colour and differ in their dashes, so that a print in black and white is readable.
"""

from __future__ import annotations

from collections.abc import Mapping

from dcmcfg.topology.edge_kinds import EdgeKind

LIGHT: Mapping[str, str] = {
    "ink": "#1c1f23",
    "soft": "#566070",
    "paper": "#ffffff",
    "card": "#f5f7f9",
    "block": "#ffffff",
    "line": "#c9d0d8",
    "chip": "#e9edf1",
    "accent": "#2456a6",
    "error": "#bf2329",
    "warning": "#8a5a00",
    "note": "#1a659f",
    "blue": "#1a659f",
    "green": "#17734a",
    "grey": "#566070",
    "orange": "#a04a00",
    "purple": "#86379a",
    "brown": "#75603a",
}
DARK: Mapping[str, str] = {
    "ink": "#e6e9ed",
    "soft": "#9ba7b4",
    "paper": "#16191d",
    "card": "#20252b",
    "block": "#181c20",
    "line": "#454e59",
    "chip": "#2c333b",
    "accent": "#8db8f5",
    "error": "#ff7176",
    "warning": "#e2b340",
    "note": "#7cb8e8",
    "blue": "#7cb8e8",
    "green": "#4cc38a",
    "grey": "#9ba7b4",
    "orange": "#f0a050",
    "purple": "#cf8fdd",
    "brown": "#c4ac7c",
}
#: Kind of edge → (colour, dashes as in SVG).
LINE_STYLES: Mapping[EdgeKind, tuple[str, str]] = {
    EdgeKind.STORE: ("blue", ""),
    EdgeKind.QUERY_RETRIEVE: ("green", "5 3"),
    EdgeKind.MOVE_DESTINATION: ("green", ""),
    EdgeKind.WORKLIST: ("grey", "5 3"),
    EdgeKind.EXPORT: ("orange", ""),
    EdgeKind.STORAGE_COMMITMENT: ("orange", "5 3"),
    EdgeKind.EXTERNAL_RETRIEVE: ("purple", ""),
    EdgeKind.FALLBACK: ("purple", "10 3"),
    EdgeKind.ALTERNATIVE: ("purple", "2 3"),
    EdgeKind.PREFETCH: ("purple", "8 3 2 3"),
    EdgeKind.QUERY: ("blue", "2 3"),
    EdgeKind.NOTIFICATION: ("brown", "2 3"),
    EdgeKind.STORAGE: ("brown", ""),
}


def format_styles() -> str:
    """Return the style sheet of a map: rules with the light colours, and the dark ones for dark displays.

    There are no variables: programs that convert SVG do not know them.
    """
    light, dark = "".join(_list_rules(LIGHT)), "".join(_list_rules(DARK))
    dashes = "".join(
        f".map .edge.{_name(kind)}{{stroke-dasharray:{dash}}}" for kind, (_, dash) in LINE_STYLES.items() if dash
    )
    return f"{_SHAPES}{dashes}{light}@media screen and (prefers-color-scheme:dark){{{dark}}}"


_SHAPES = """\
.map text{font:11px system-ui,'Segoe UI','DejaVu Sans',sans-serif}
.map .t-title{font-size:17px;font-weight:600}.map .t-head{font-size:13px;font-weight:600}
.map .t-name,.map .t-chip{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace}
.map .t-name{font-size:13px;font-weight:600}.map .t-chip{font-size:11px}
.map .edge{fill:none;stroke-width:1.8}.map .hit{fill:transparent;stroke:none}
.map .frame{stroke-width:1}.map .frame.archive{stroke-width:2}.map .role-unknown{stroke-dasharray:4 3}
.map .off{stroke-dasharray:4 3}
"""


def _list_rules(colours: Mapping[str, str]) -> list[str]:
    return [
        f".map text{{fill:{colours['ink']}}}.map .t-soft{{fill:{colours['soft']}}}",
        f".map .paper{{fill:{colours['paper']}}}",
        f".map .frame{{fill:{colours['card']};stroke:{colours['line']}}}",
        f".map .frame.archive{{stroke:{colours['accent']}}}",
        f".map .frame.block{{fill:{colours['block']}}}.map .frame.block.archive{{fill:none;stroke:none}}",
        f".map .chip .hit{{fill:{colours['chip']}}}",
        *(
            f".map .m-{severity},.map text.m-{severity}{{fill:{colours[severity]}}}"
            f".map .chip.s-{severity} text{{fill:{colours[severity]}}}"
            for severity in ("error", "warning", "note")
        ),
        *(
            f".map .edge.{_name(kind)}{{stroke:{colours[colour]}}}"
            f".map .arrow.{_name(kind)},.map text.{_name(kind)}{{fill:{colours[colour]}}}"
            for kind, (colour, _) in LINE_STYLES.items()
        ),
    ]


def _name(kind: EdgeKind) -> str:
    return f"k-{kind.value}"
