/** The page of `chunk --view`: a text with its cuts, in one file. */
import { createHash } from 'node:crypto'
import type { Chunk, Document } from '../chunkers/index.ts'
import { PAGE_SCRIPT, PAGE_STYLE } from './chunk-page-parts.ts'
import { type CutDocument, placeOfChunk, showable, summaryOf } from './cut-document.ts'
import { number } from './print-answer.ts'

export interface ChunkPageOptions {
  readonly chunker: string
  /** Most tokens of a chunk. */
  readonly chunkTokens: number
}

/** What every such page starts with, and nothing else does. */
export const PAGE_START: string =
  '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="generator" content="scriptorium chunk">'

/** Neighbours differ in colour. */
const COLOURS = 4

/**
 * A page that shows where texts were cut. It needs nothing but itself: it may load and run nothing but its own style and script, whatever the texts
 * hold, and says all without the script, which only adds keys.
 */
export function chunkPage(cut: readonly CutDocument[], options: ChunkPageOptions): string {
  const names = cut.map(({ document }) => document.name).join(', ')
  const policy = `default-src 'none'; style-src '${hashOf(PAGE_STYLE)}'; script-src '${hashOf(PAGE_SCRIPT)}'; base-uri 'none'; form-action 'none'`
  return `${PAGE_START}
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Chunks of ${escapeHtml(names)}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<p class="hint">Point at a chunk, or go from one to the next with <kbd>Tab</kbd> or the arrow keys <kbd>←</kbd> <kbd>→</kbd>, to see where it lies.</p>
<main>
${cut.map((one, place) => documentHtml(one, place, options)).join('\n')}
</main>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`
}

function documentHtml({ document, chunks }: CutDocument, place: number, options: ChunkPageOptions): string {
  const { chunker, chunkTokens } = options
  const facts = `${chunker}, at most ${number(chunkTokens)} tokens: ${summaryOf(chunks)}`
  return `<section>
<h1>${escapeHtml(document.name)}</h1>
<p class="facts">${escapeHtml(facts)}</p>
${barsHtml(chunks, place, chunkTokens)}
<div class="text${document.format === 'code' ? ' code' : ''}">${textHtml(document, chunks, place, chunkTokens)}</div>
</section>`
}

/** A bar for each chunk, as high as it is full; each leads to its chunk. */
function barsHtml(chunks: readonly Chunk[], place: number, chunkTokens: number): string {
  const bars = chunks.map(({ index, tokens }) => {
    const height = Math.max(2, Math.round((100 * tokens) / chunkTokens))
    const bar = `<rect x="${index}" y="${100 - height}" width="0.9" height="${height}"><title>${index}: ${number(tokens)} tokens</title></rect>`
    return `<a href="#${idOf(place, index)}" tabindex="-1" class="k${index % COLOURS}">${bar}</a>`
  })
  if (bars.length < 2) return ''
  const label = 'Tokens of each chunk, as a share of the most that it may have'
  return `<svg class="bars" viewBox="0 0 ${chunks.length} 100" preserveAspectRatio="none" role="img" aria-label="${label}">${bars.join('')}</svg>`
}

function textHtml(document: Document, chunks: readonly Chunk[], place: number, chunkTokens: number): string {
  let before = 0
  const parts = chunks.map((chunk) => {
    const gap = escapeHtml(document.slice(before, chunk.start))
    before = chunk.end
    return gap + chunkHtml(document, chunk, place, chunkTokens)
  })
  return parts.join('')
}

function chunkHtml(document: Document, chunk: Chunk, place: number, chunkTokens: number): string {
  const { index, start, end, tokens, sections, context, text } = chunk
  const where = placeOfChunk(document, start)
  const label = `Chunk ${index}, ${number(tokens)} tokens, ${where}`
  const facts = [`${number(tokens)} of ${number(chunkTokens)} tokens`, where, `characters ${number(start)}–${number(end)}`]
  const path = sections.length > 0 ? `<span class="path">${escapeHtml(sections.join(' › '))}</span>` : ''
  const around = context ? `<span class="context">${escapeHtml(context)}</span>` : ''
  const tip = `<span class="tip" role="note"><b>${index}</b> ${escapeHtml(facts.join(' · '))}${path}${around}</span>`
  const id = idOf(place, index)
  const mark = `<a class="mark" href="#${id}" aria-label="${escapeHtml(label)}">${index}</a>`
  return `<span class="chunk k${index % COLOURS}" id="${id}" dir="auto">${mark}${escapeHtml(text)}${tip}</span>`
}

function idOf(place: number, index: number): string {
  return `d${place}c${index}`
}

/** Text of a file as text of a page. */
function escapeHtml(text: string): string {
  return showable(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

/** The hash of a style or a script, as a content security policy names it. */
function hashOf(code: string): string {
  return `sha256-${createHash('sha256').update(code).digest('base64')}`
}
