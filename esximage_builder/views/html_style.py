"""How HTML looks: a page of its own, and a piece of a page of others."""

from __future__ import annotations

__all__ = ["FRAGMENT_STYLE", "PAGE_STYLE"]

PAGE_STYLE = """
:root { color-scheme: light dark; --text: #1d2430; --soft: #5c6675; --line: #d9dee6; --back: #f5f6f8; --card: #ffffff;
  --error: #b3261e; --warning: #8a5a00; --info: #1f5f99; --waived: #6b3fa0; --ok: #1c7048;
  --shade: rgba(0, 0, 0, .22); }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e8ee; --soft: #9aa5b4; --line: #39424f; --back: #14181e; --card: #1d232b;
    --error: #ff8a80; --warning: #ffc36b; --info: #8cc4ff; --waived: #cda8ff; --ok: #7ddba8;
    --shade: rgba(0, 0, 0, .7); } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.25rem 0 .75rem; }
p { margin: .5rem 0; max-width: 48rem; }
nav { font-size: .875rem; margin-bottom: 1.5rem; max-height: 6rem; overflow-y: auto; }
nav a { color: var(--info); margin-right: 1rem; display: inline-block; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem; margin: .75rem 0; padding: 1rem 1.25rem;
  background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: .75rem 0; border: 1px solid var(--line); border-radius: .5rem;
  background: linear-gradient(90deg, var(--card) 1rem, transparent) local,
    linear-gradient(270deg, var(--card) 1rem, transparent) 100% 0 local,
    linear-gradient(90deg, var(--shade), transparent), linear-gradient(270deg, var(--shade), transparent) 100% 0;
  background-repeat: no-repeat; background-size: 2.5rem 100%, 2.5rem 100%, .75rem 100%, .75rem 100%;
  background-color: var(--card); }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .9rem; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
td { min-width: 12rem; }
td.short { white-space: nowrap; min-width: 0; }
tbody tr:last-child td { border-bottom: 0; }
th button { all: unset; cursor: pointer; }
th button:hover { color: var(--text); }
th button:focus-visible { outline: 2px solid var(--info); outline-offset: 2px; }
th button::after { content: "\u2195"; margin-left: .4em; opacity: .45; }
th[aria-sort="ascending"] button::after { content: "\u2191"; opacity: 1; }
th[aria-sort="descending"] button::after { content: "\u2193"; opacity: 1; }
.search { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .9rem; font-size: .875rem; }
.search input { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem; padding: .35rem .75rem; width: 20rem; max-width: 100%; }
summary { cursor: pointer; color: var(--info); margin: .5rem 0; }
.cause { margin: .75rem 0; padding: .75rem 1.25rem; background: var(--card); border: 1px solid var(--line);
  border-left: .3rem solid var(--tone); border-radius: .5rem; overflow-wrap: anywhere; }
.cause p { max-width: none; margin: .25rem 0; }
.cause ul { margin: .25rem 0; padding-left: 1.25rem; font-size: .875rem; }
.label { color: var(--tone); font-weight: 700; text-transform: uppercase; font-size: .8rem; letter-spacing: .04em; }
.verdict { border-left: .3rem solid var(--tone); }
p.verdict { max-width: none; margin: 0 0 .75rem; padding: .75rem 1.25rem; font-weight: 600; background: var(--card);
  border-radius: .5rem; border-top: 1px solid var(--line); border-right: 1px solid var(--line);
  border-bottom: 1px solid var(--line); }
p.verdict .label { margin-right: .5rem; }
dl.verdict dd:first-of-type { color: var(--tone); font-weight: 700; }
.soft { color: var(--soft); }
code { font-family: ui-monospace, "SF Mono", Consolas, "Liberation Mono", monospace; font-size: .85em; }
.error { --tone: var(--error); } .warning { --tone: var(--warning); } .ok { --tone: var(--ok); }
.info { --tone: var(--info); } .waived { --tone: var(--waived); }
@media print { body { background: none; } nav, .search { display: none; } .cause, dl, tr { break-inside: avoid; }
  th button::after { content: none; } td { min-width: 0; } details::details-content { content-visibility: visible; } }
@media (max-width: 36rem) { main { padding: 1.25rem .75rem 3rem; } dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .5rem; } th, td { padding: .4rem .7rem; } .search input { width: 100%; } }
"""
# Pages of others have colours of their own, light or dark: these stand out on both, and backs are left as they are.
FRAGMENT_STYLE = """
.esximage { --error: #d9493f; --warning: #b5790b; --info: #3b84c4; --waived: #9264c8; --ok: #2e9663; --soft: #808893;
  --line: rgba(128, 136, 147, .35); font: 14px/1.45 system-ui, sans-serif; max-width: 75rem; }
.esximage .title { font-size: 1.15em; font-weight: 700; margin: .25em 0 .5em; overflow-wrap: anywhere; }
.esximage .head { font-weight: 700; margin: 1em 0 .3em; }
.esximage p { margin: .3em 0; }
.esximage dl { display: grid; grid-template-columns: max-content 1fr; gap: .15em 1.25em; margin: .4em 0; }
.esximage dt { color: var(--soft); font-weight: 400; }
.esximage dd { margin: 0; overflow-wrap: anywhere; }
.esximage .scroll { overflow-x: auto; max-height: 30em; overflow-y: auto; }
.esximage table { border-collapse: collapse; margin: .3em 0; font-size: .95em; }
.esximage th, .esximage td { text-align: left; vertical-align: top; padding: .25em .8em .25em 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.esximage th { color: var(--soft); font-weight: 600; white-space: nowrap; }
.esximage td.short { white-space: nowrap; }
.esximage summary { cursor: pointer; color: var(--info); }
.esximage .cause { margin: .5em 0; padding: .3em .8em; border-left: .25em solid var(--tone); overflow-wrap: anywhere; }
.esximage .label { color: var(--tone); font-weight: 700; text-transform: uppercase; font-size: .85em; }
.esximage .verdict { padding: .3em .8em; border-left: .25em solid var(--tone); }
.esximage dl.verdict dd:first-of-type { color: var(--tone); font-weight: 700; }
.esximage .soft { color: var(--soft); }
.esximage .error { --tone: var(--error); } .esximage .warning { --tone: var(--warning); }
.esximage .ok { --tone: var(--ok); }
.esximage .info { --tone: var(--info); } .esximage .waived { --tone: var(--waived); }
"""
