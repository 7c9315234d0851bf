"""The style sheet of all web pages: light and dark, printable, and readable on a phone."""

from __future__ import annotations

from dcmcfg.render.html.palette import DARK, LIGHT, format_variables

STYLESHEET = (
    f"\n:root {{ color-scheme: light dark; {format_variables(LIGHT)} }}\n"
    f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {format_variables(DARK)} }} }}\n"
    """\
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1040px; margin: 0 auto; padding: 0 1.2rem 2rem }
.top { display: flex; flex-wrap: wrap; gap: 0 .6rem; align-items: baseline; justify-content: space-between;
  padding: .9rem 0 .5rem; margin-bottom: 1.6rem; border-bottom: 1px solid var(--line); color: var(--soft);
  font-size: .87em }
.top b { color: var(--accent) }
.foot { margin-top: 2.6rem; padding-top: .6rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .8em }
h1 { font-size: 1.45rem; line-height: 1.3; margin: 0 0 .3rem; overflow-wrap: anywhere }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem }
h3 { font-size: 1rem; margin: 0 0 .3rem } table + h3, .scroll + h3 { margin-top: 1.4rem }
.is-good { color: var(--good) } .is-fair { color: var(--fair) } .is-bad { color: var(--bad) }
.is-worse { color: var(--worse) } .is-open { color: var(--open) } .soft { color: var(--soft) }
.badge { display: inline-block; padding: 0 .5em; border: 1px solid; border-radius: 1em; font-size: .92em;
  font-weight: 600; white-space: nowrap }
.banner { border-left: 6px solid; padding: .2rem 0 .2rem 1rem }
.banner.is-plain { color: var(--ink); border-color: var(--accent) }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(270px, 100%), 1fr)); gap: .9rem;
  margin: 1.4rem 0; align-items: start }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem;
  overflow-wrap: anywhere }
.card p { margin: .2rem 0 } .card ul { margin: .4rem 0 0; padding-left: 1.1rem; font-size: .92em }
article { border-left: 4px solid var(--bad); padding: .1rem 0 .1rem 1rem; margin: 1rem 0 }
article p { margin: .3rem 0 }
li { overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: fit-content(40%) 1fr; gap: .15rem 1.2rem; margin: .6rem 0 }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
.scroll { overflow-x: auto } .scroll:focus-visible { outline: 2px solid var(--accent) }
svg { max-width: 100%; height: auto; display: block }
.scroll svg.sequence { max-width: none } svg.chart { width: 100%; min-width: 600px }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; margin: .5rem 0; padding: 0; list-style: none }
.legend svg { display: inline-block; width: .8em; height: .8em; min-width: 0; margin-right: .45em }
figure { margin: 0 } figure > svg.chart { min-width: 0 }
 .chart text { font: 12px system-ui, 'DejaVu Sans', sans-serif; fill: var(--ink) }
.chart .small { fill: var(--soft) } .chart .grid { stroke: var(--line) } .chart .good { fill: var(--fill-good) }
.chart .fair { fill: var(--fill-fair) } .chart .bad { fill: var(--fill-bad) } .chart .worse { fill: var(--fill-worse) }
.chart .open { fill: var(--fill-open) }
table { border-collapse: collapse; width: 100%; font-size: .87em; margin: .4rem 0 }
th, td { text-align: left; vertical-align: top; padding: .28rem .7rem .28rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: break-word }
th { color: var(--soft); font-weight: 600 }
td.number, th.number { text-align: right; white-space: nowrap }
td code { display: inline-block; min-width: 15em }
code { font: .92em ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; overflow-wrap: anywhere }
.studies td { white-space: nowrap } .studies code { overflow-wrap: normal } .studies [class^=is-] { font-weight: 600 }
.studies tbody:has(.why) tr:first-child td { border-bottom: 0 }
.studies .why td { padding-top: 0; color: var(--soft); white-space: normal }
.stacked td { min-width: 4.5rem } .stacked td code { display: inline; min-width: 0 }
details summary { cursor: pointer } details ul { margin: .3rem 0; padding-left: 1.1rem }
pre { font: .87em/1.6 ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; background: var(--card);
  border: 1px solid var(--line); border-radius: 6px; padding: .6rem 1rem; white-space: pre-wrap;
  overflow-wrap: anywhere }
pre.text { white-space: pre; overflow-x: auto; overflow-wrap: normal }
pre .line { display: block; padding-left: 2ch; text-indent: -2ch } pre .line.deep { margin-left: 4ch }
pre .line.deeper { margin-left: 8ch } pre .added { color: var(--good); background: var(--tint-good) }
pre .removed { color: var(--bad); background: var(--tint-bad) } pre .changed { font-weight: 600 }
pre .changed.deep, pre .changed.deeper { font-weight: 400 }
pre del { color: var(--bad); background: var(--tint-bad) } pre ins { color: var(--good); background: var(--tint-good);
  text-decoration: none }
.matrix td, .matrix th { white-space: nowrap } .matrix .badge { font-size: .95em }
.matrix th:first-child { position: sticky; left: 0; background: var(--paper) }
@media screen and (max-width: 640px) { dl { grid-template-columns: 1fr } dd { margin-bottom: .4rem }
  .stacked thead { display: none } .stacked tr { display: block; background: var(--card); border: 1px solid var(--line);
    border-radius: 6px; padding: .5rem .8rem; margin: .6rem 0 }
  .studies td { white-space: normal } .studies code { overflow-wrap: anywhere; min-width: 8em }
  .stacked td { display: block; border: 0; padding: .15rem 0 } .stacked td:empty { display: none }
  .stacked td.number { text-align: left }
  .stacked td:not(:empty)::before { content: attr(data-label); display: block; color: var(--soft); font-weight: 600 } }
@media screen and (max-width: 480px) { body { padding: 0 .8rem 1.5rem; font-size: 14px } h1 { font-size: 1.2rem }
  .top { margin-bottom: 1rem } .banner { padding-left: .7rem } pre { padding: .5rem .6rem }
  pre .line.deep { margin-left: 2ch } pre .line.deeper { margin-left: 4ch } td code { min-width: 11em } }
@page { margin: 15mm }
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 12px }
  tr, .card, svg, .studies tbody, pre .line { break-inside: avoid } h2, h3, h2 + p { break-after: avoid }
  thead { display: table-header-group } td, th { min-width: 0 } .stacked td { min-width: 0 }
  .scroll { overflow: visible } .scroll svg.sequence { max-width: 100% }
  .cards { grid-template-columns: repeat(3, 1fr) } svg.chart { min-width: 0 } .studies { font-size: .78rem }
  pre.text { white-space: pre-wrap } pre .added, pre .removed { background: none } }
"""
)
