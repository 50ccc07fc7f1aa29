import { appendCues } from './load-subtitles.ts'
import type { LoadContext, LoadedText } from './loaded-text.ts'
import { type Relation, relationsOf } from './office-relations.ts'
import { officeTitle } from './office-title.ts'
import { decodeXml, parseXml, relationId } from './parse-xml.ts'
import { damaged } from './refusals.ts'
import { type SlidePart, slideParts } from './slide-parts.ts'
import { TextBuilder } from './text-builder.ts'
import { type Archive, openArchive } from './unzip.ts'

const PRESENTATION = 'ppt/presentation.xml'
/** Kinds of placeholders that hold no text of the slide itself. */
const FURNITURE = new Set(['sldNum', 'dt', 'ftr', 'hdr', 'sldImg'])

/** Reads a presentation (ECMA-376): its slides in their order, each with its title as a section, then its notes and the captions of its films. */
export function loadPptx(bytes: Uint8Array, { source, maxBytes }: LoadContext): LoadedText {
  const archive = openArchive(bytes, { source, maxBytes })
  const files = archive.read((name) => /^ppt\/(?:slides|notesSlides|presentation|diagrams\/data)[^.]*\.xml$|^ppt\/.*\.vtt$/.test(name))
  const builder = new TextBuilder()
  slideNames(archive, files, source).forEach((name, index) => {
    const slide = files.get(name)
    if (!slide) throw damaged(source, `its slide ${index + 1} is missing (${name})`)
    builder.break()
    const start = builder.offset
    appendSlide(builder, slideParts(slide, { source, part: name }), index + 1)
    appendRelated(builder, relationsOf(archive, name, source), files, source)
    builder.page({ number: index + 1, kind: 'slide' }, start)
  })
  return builder.end(officeTitle(archive, source))
}

/** What belongs to a slide and lies in parts of its own. */
function appendRelated(builder: TextBuilder, relations: readonly Relation[], files: ReadonlyMap<string, Uint8Array>, source: string): void {
  const partsOf = (wanted: string): SlidePart[] =>
    relations.flatMap(({ type, target }) => {
      const bytes = type === wanted ? files.get(target) : undefined
      return bytes ? slideParts(bytes, { source, part: target }) : []
    })
  for (const part of partsOf('diagramData')) appendPart(builder, part)
  appendNotes(builder, partsOf('notesSlide'))
  for (const { target } of relations) {
    const captions = target.endsWith('.vtt') ? files.get(target) : undefined
    if (!captions) continue
    builder.break()
    appendCues(builder, decodeXml(captions))
  }
}

/** Names of the slides, in the order of the presentation. */
function slideNames(archive: Archive, files: ReadonlyMap<string, Uint8Array>, source: string): string[] {
  const presentation = files.get(PRESENTATION)
  if (!presentation) throw damaged(source, `it holds no ${PRESENTATION}`)
  const targets = new Map(relationsOf(archive, PRESENTATION, source).map((relation: Relation) => [relation.id, relation.target]))
  const names: string[] = []
  parseXml(
    presentation,
    { source, part: PRESENTATION },
    {
      open(name, attributes) {
        const target = name === 'sldId' ? targets.get(relationId(attributes) ?? '') : undefined
        if (target !== undefined) names.push(target)
      },
    },
  )
  return names
}

function appendSlide(builder: TextBuilder, parts: readonly SlidePart[], number: number): void {
  const title = parts.find(({ placeholder }) => placeholder === 'title' || placeholder === 'ctrTitle')
  const name = title ? title.paragraphs.join(' ').trim() : ''
  if (name === '') builder.section(builder.offset, `Slide ${number}`, 1)
  else builder.heading(name, 1)
  for (const part of parts) if (part !== title && !FURNITURE.has(part.placeholder ?? '')) appendPart(builder, part)
}

function appendNotes(builder: TextBuilder, parts: readonly SlidePart[]): void {
  builder.break()
  const start = builder.offset
  for (const part of parts) if (!FURNITURE.has(part.placeholder ?? '')) appendPart(builder, part)
  builder.mark('notes', start)
}

function appendPart(builder: TextBuilder, { paragraphs, rows }: SlidePart): void {
  builder.break()
  for (const paragraph of paragraphs) {
    builder.add(paragraph)
    builder.break(1)
  }
  if (rows.length === 0) return
  const start = builder.offset
  for (const row of rows) {
    const rowStart = builder.offset
    builder.add(row.join(' | '))
    builder.mark('row', rowStart)
    builder.break(1)
  }
  builder.mark('table', start, rows[0]?.join(' | '))
  builder.break()
}
