// How a report looks, light and dark. The page's policy names this text by its digest, so it is one constant.

/** The whole of the page's style. */
export const STYLE = `
:root { color-scheme: light dark; --back: #fff; --text: #1f2328; --soft: #59636e; --line: #d1d9e0; --panel: #f6f8fa; --link: #0550ae;
  --agent: #1f6feb; --checks: #8250df; --landing: #1a7f37; --other: #6e7781; --waiting: #9a6700; --rest: #818b98; --bad: #b3202c; --good: #1a7f37; --warn: #7d4e00; --mark: #b3202c; }
@media (prefers-color-scheme: dark) { :root { --back: #0d1117; --text: #e6edf3; --soft: #9da7b3; --line: #3d444d; --panel: #151b23; --link: #79b8ff;
  --agent: #58a6ff; --checks: #bc8cff; --landing: #3fb950; --other: #8b949e; --waiting: #d29922; --rest: #656c76; --bad: #ff7b72; --good: #56d364; --warn: #e3b341; --mark: #ff7b72; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main, header { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 1.5rem; } main { padding-bottom: 3rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; overflow-wrap: anywhere; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; margin: 1rem 0 .25rem; overflow-wrap: anywhere; }
p { margin: .25rem 0; } .soft { color: var(--soft); } a { color: var(--link); }
code, pre { font: 13px/1.45 ui-monospace, monospace; } code { overflow-wrap: anywhere; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; margin: .4rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.wide { margin: .5rem 0; overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; } .wide:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; padding: .4rem .6rem; color: var(--soft); }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-top: 1px solid var(--line); } thead th { background: var(--panel); white-space: nowrap; }
tbody th { font-weight: 600; overflow-wrap: anywhere; min-width: 8rem; } .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.people { border: 1px solid var(--warn); border-left-width: 5px; border-radius: 6px; padding: .5rem 1rem; margin-top: 1rem; } .people h2 { margin: .25rem 0; } ul, ol { margin: .4rem 0; padding-left: 1.5rem; }
.landed, .complete, .passed { color: var(--good); } .failed { color: var(--bad); } .blocked, .waiting, .cancelled, .cut, .not-landed, .crash { color: var(--warn); }
details { border-top: 1px solid var(--line); padding: .3rem 0; } summary { cursor: pointer; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1rem 0; } dl div { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .5rem .75rem; }
dt { color: var(--soft); font-size: .85rem; } dd { margin: 0; font-size: 1.1rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; padding: 0; } .legend svg { vertical-align: -2px; margin-right: .35rem; }
svg.gantt { display: block; min-width: 44rem; width: 100%; height: auto; } svg text { fill: var(--text); font: 12px system-ui, sans-serif; } svg .tick { stroke: var(--line); stroke-width: 1; } svg .axis { fill: var(--soft); font-size: 11px; }
svg .agent { fill: var(--agent); } svg .checks { fill: var(--checks); } svg .landing { fill: var(--landing); } svg .other { fill: var(--other); } svg .waiting { fill: var(--waiting); } svg .rest { fill: var(--rest); }
svg .gap { fill: var(--line); opacity: .5; } svg .path { fill: var(--mark); } svg .onpath { fill: var(--mark); font-weight: 700; }
@media print { .wide { overflow: visible; } details { break-inside: avoid; } }
`;
