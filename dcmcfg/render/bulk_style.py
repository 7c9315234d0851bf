"""How the report of a run looks, on paper too."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --ink: #1c1f23; --soft: #667080; --paper: #fff; --line: #d9dee4;
  --good: #2f9e6e; --fair: #6aa6d8; --bad: #d2453f; --worse: #8e3fa0; --open: #c3cad3 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #97a3b0; --paper: #16191d; --line: #39414b;
  --open: #5b6673 } }
body { font: 15px/1.5 system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; color: var(--ink); background: var(--paper);
  max-width: 980px; margin: 2rem auto; padding: 0 1.2rem }
h1 { font-size: 1.5rem; margin: 0 0 .2rem } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem }
h1.good { color: var(--good) } h1.bad { color: var(--bad) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; margin: 1rem 0 }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
svg { width: 100%; height: auto; display: block } svg text { font-size: 12px; fill: var(--ink) }
svg .small { fill: var(--soft) } svg .grid { stroke: var(--line) }
.good { fill: var(--good) } .fair { fill: var(--fair) } .bad { fill: var(--bad) } .worse { fill: var(--worse) }
.open { fill: var(--open) }
table { border-collapse: collapse; width: 100%; font-size: .86rem }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line) }
th { color: var(--soft); font-weight: 600 } td.number, th.number { text-align: right; white-space: nowrap }
code { font: .92em ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; overflow-wrap: anywhere }
td.good, td.fair, td.bad, td.worse { font-weight: 600; white-space: nowrap }
td.good { color: var(--good) } td.fair { color: var(--fair) }
td:first-child code { white-space: nowrap } td.bad { color: var(--bad) } td.worse { color: var(--worse) }
tbody:has(.why) tr:first-child td { border-bottom: 0 } tr.why td { padding-top: 0; color: var(--soft) }
.soft { color: var(--soft) } article { border-left: 4px solid var(--bad); padding: .1rem 0 .1rem 1rem; margin: 1rem 0 }
article p { margin: .3rem 0 }
@page { margin: 15mm }
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 12px } h2 { break-after: avoid }
  tbody, svg { break-inside: avoid } thead { display: table-header-group } table { font-size: .78rem } }
"""
