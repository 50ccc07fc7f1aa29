/** Style and script of the page of `chunk --view`. */

export const PAGE_STYLE: string = `
:root {
  --paper: #fdfdfb; --ink: #1d1f23; --faint: #62666f; --line: #d6d7da; --panel: #ffffff;
  --k0: #dcebff; --k1: #fdeccb; --k2: #daf3df; --k3: #f6def0;
  --b0: #2f6fc4; --b1: #a56a00; --b2: #2b7d45; --b3: #a1438b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15171b; --ink: #e6e7ea; --faint: #a2a7b1; --line: #3a3e46; --panel: #23262d;
    --k0: #1c3352; --k1: #45371a; --k2: #1c3d28; --k3: #452541;
    --b0: #7fb2ff; --b1: #f0bd5e; --b2: #7fd99a; --b3: #ec98d7;
  }
}
body { margin: 0; padding: 1.5rem max(1rem, calc(50vw - 26rem)) 12rem; background: var(--paper); color: var(--ink); font: 1rem/1.65 system-ui, sans-serif; }
h1 { margin: 2rem 0 0; font-size: 1.35rem; overflow-wrap: anywhere; }
.hint, .facts { margin: .25rem 0 1rem; color: var(--faint); font-size: .9rem; }
.bars { display: block; width: 100%; height: 3.5rem; margin-bottom: 1.25rem; border-bottom: 1px solid var(--line); }
.bars .k0 { fill: var(--b0); } .bars .k1 { fill: var(--b1); } .bars .k2 { fill: var(--b2); } .bars .k3 { fill: var(--b3); }
.bars a:hover { opacity: .6; }
kbd { padding: 0 .3em; border: 1px solid var(--line); border-radius: .25em; font: inherit; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; tab-size: 4; }
.code { font: .875rem/1.6 ui-monospace, "DejaVu Sans Mono", monospace; }
.chunk { -webkit-box-decoration-break: clone; box-decoration-break: clone; padding: .1em 0; border-radius: .15em; scroll-margin: 30vh; }
.text .k0 { background: var(--k0); } .text .k1 { background: var(--k1); } .text .k2 { background: var(--k2); } .text .k3 { background: var(--k3); }
.mark { margin-inline-end: .35em; padding: .05em .35em; border-radius: .3em; color: var(--paper); font: 600 .7rem/1.3 system-ui, sans-serif; text-decoration: none; vertical-align: .12em; user-select: none; }
.k0 > .mark { background: var(--b0); } .k1 > .mark { background: var(--b1); } .k2 > .mark { background: var(--b2); } .k3 > .mark { background: var(--b3); }
.chunk:hover, .chunk:focus-within, .chunk:target { background-image: linear-gradient(#8886, #8886); }
.mark:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
.tip { display: none; position: fixed; z-index: 1; inset: auto 0 0; box-sizing: border-box; max-height: 11rem; overflow: auto; padding: .75rem max(1rem, calc(50vw - 26rem)); border-top: 1px solid var(--line); background: var(--panel); color: var(--ink); font: .9rem/1.5 system-ui, sans-serif; box-shadow: 0 -.25rem 1rem #0003; white-space: normal; }
.chunk:target > .tip, .chunk:focus-within > .tip { display: block; }
.chunk:focus-within > .tip { z-index: 2; }
.chunk:hover > .tip { display: block; z-index: 3; }
.path, .context { display: block; overflow-wrap: anywhere; }
.path { color: var(--faint); }
.context { margin-top: .35rem; font: .8rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre-wrap; }
@media print { .tip, .hint { display: none !important; } }
`

/** The arrow keys go from chunk to chunk. */
export const PAGE_SCRIPT: string = `
addEventListener('keydown', (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
  if (!step || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return
  const marks = [...document.querySelectorAll('.mark')]
  const here = marks.indexOf(document.activeElement)
  const seen = marks.findIndex((mark) => mark.getBoundingClientRect().bottom > 0)
  const next = marks[here < 0 ? Math.max(0, seen) : here + step]
  if (!next) return
  event.preventDefault()
  next.focus({ preventScroll: true })
  next.scrollIntoView({ block: 'center' })
})
`
