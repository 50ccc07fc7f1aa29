import type { DocumentInit } from '../create-document.ts'
import { findSections, isMarkdownName } from '../find-sections.ts'
import { findTitle } from '../find-title.ts'
import { codeLanguage } from './code-language.ts'
import { isChat, loadChat } from './load-chat.ts'
import { findDelimiter, loadCsv } from './load-csv.ts'
import { loadJson } from './load-json.ts'
import { isMarkdown } from './is-markdown.ts'
import { loadSubtitles } from './load-subtitles.ts'

/** Columns and rows that make a table of a text whose name does not say that it is one. */
const LEAST_COLUMNS = 3
const LEAST_ROWS = 3

/** Tells by its content what kind of text a text is, by its name where that leaves it open, and reads it. */
export async function loadText(text: string, name: string, source: string): Promise<DocumentInit> {
  if (isSubtitles(text)) return { ...loadSubtitles(text, source), name, format: 'subtitles' }
  if (isChat(text)) return { ...loadChat(text), name, format: 'chat' }
  const json = loadJson(text)
  if (json) return { ...json, name }
  const markdown = isMarkdown(text, name)
  const language = markdown ? undefined : codeLanguage(text, name)
  if (language !== undefined) {
    return { text, name, sections: [], format: 'code', marks: [{ type: 'code', start: 0, end: text.length, value: language }] }
  }
  if (!markdown && isTable(text, name)) return { ...(await loadCsv(text)), name, format: 'csv' }
  // What is Markdown by its content is read as if its name said so.
  const label = markdown && !isMarkdownName(name) ? `${name}.md` : name
  const sections = findSections(text, { name: label })
  const title = findTitle(text, label, sections)
  if (!markdown) return { text, name, sections, title, format: 'text' }
  const { markdownMarks } = await import('./markdown-marks.ts')
  return { text, name, sections, title, format: 'markdown', marks: () => markdownMarks(text) }
}

function isSubtitles(text: string): boolean {
  const start = text.slice(0, 500)
  return /^WEBVTT(?:[ \t\r\n]|$)/.test(start) || /^\s*\d+[ \t]*\r?\n\d{1,2}:\d{2}:\d{2}[,.]\d{3}[ \t]+-->/.test(start)
}

function isTable(text: string, name: string): boolean {
  if (/\.[ct]sv$/i.test(name)) return true
  const table = findDelimiter(text)
  return table !== undefined && table.delimiter !== '|' && table.columns >= LEAST_COLUMNS && table.rows >= LEAST_ROWS
}
