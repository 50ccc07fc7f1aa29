import type { Answer, Citation, Plan } from '../workflows/index.ts'
import { type Colours, printable } from './terminal.ts'

/** An answer for people: the text, its quotations, what was read, what it took. With `withText: false` the text was already written. */
export function formatAnswer(answer: Answer, colours: Colours, { withText = true }: { readonly withText?: boolean } = {}): string {
  const quotations = answer.citations.map((citation, index) => formatCitation(citation, index + 1, colours))
  const facts = [coverageLine(answer), usageLine(answer), `Run ${answer.runId}`].map((line) => colours.dim(line)).join('\n')
  const text = withText ? printable(answer.text).trim() : ''
  return [headline(answer, colours), text, ...quotations, facts].filter((part) => part !== '').join('\n\n') + '\n'
}

function headline({ status, reason, coverage }: Answer, { yellow }: Colours): string {
  if (status === 'answered') return ''
  if (status === 'not-found') return yellow('Not found: what was read holds no answer.')
  if (status === 'stopped') return yellow(`Stopped, as ${printable(reason ?? 'it was cancelled')}. What it had so far:`)
  const failure = coverage.chunks.find(({ outcome }) => outcome === 'failed')?.reason
  const why = failure === undefined ? '' : ` (${printable(failure)})`
  return yellow(`Partial: ${coverage.failed} of ${coverage.total} chunks could not be read${why}.`)
}

function formatCitation(
  { quote, document, sections, start, end, line, place: where }: Citation,
  place: number,
  { bold, dim }: Colours,
): string {
  const parts =
    where === undefined
      ? [document, ...sections, `[${start}–${end}]`, `line ${line}`]
      : [`${document} ${where}`, ...sections, `[${start}–${end}]`]
  const source = parts.map((part) => printable(part).replaceAll('\n', ' ')).join(' · ')
  const indent = ' '.repeat(`${place}. `.length)
  return `${bold(`${place}.`)} “${printable(quote).replaceAll('\n', `\n${indent} `)}”\n${indent}${dim(source)}`
}

function coverageLine({ coverage: { total, read, empty, failed, skipped } }: Answer): string {
  const rest = [
    [empty, 'without a find'],
    [failed, 'failed'],
    [skipped, 'skipped'],
  ].filter(([amount]) => amount !== 0)
  return `Read ${number(read + empty)} of ${count(total, 'chunk')}${list(rest.map(([amount, what]) => `${number(Number(amount))} ${what}`))}`
}

function usageLine({ usage, strategy }: Answer): string {
  const { calls, inputTokens, outputTokens, usd, milliseconds, reused, retries } = usage
  const parts = [count(calls, 'call'), `${number(inputTokens)} tokens in`, `${number(outputTokens)} out`]
  if (usd !== 0) parts.push(price(usd))
  parts.push(duration(milliseconds / 1000))
  if (reused > 0) parts.push(`${count(reused, 'step')} from the journal`)
  if (retries > 0) parts.push(retries === 1 ? '1 retry' : `${number(retries)} retries`)
  return `${strategy}: ${parts.join(', ')}`
}

/** A plan for people. */
export function formatPlan(plan: Plan, { dim }: Colours): string {
  const { strategy, chunks, calls, inputTokens, outputTokens, usd, criticalPath, seconds, notes } = plan
  const lines = [
    `Strategy  ${strategy}`,
    `Chunks    ${number(chunks)}`,
    `Calls     ${number(calls)} at most, ${number(criticalPath)} one after another`,
    `Tokens    ${number(inputTokens)} in, ${number(outputTokens)} out, at most`,
    `Time      ${seconds === undefined ? 'not known' : `about ${duration(seconds)}`}`,
    `Price     ${usd === 0 ? 'nothing' : usd === undefined ? 'not known' : `${price(usd)} at most`}`,
  ]
  return `${[...lines, ...notes.map((note) => dim(note))].join('\n')}\n`
}

export function price(usd: number | undefined): string {
  if (usd === undefined) return 'price not known'
  return usd > 0 && usd < 0.01 ? `$${usd.toPrecision(2)}` : `$${usd.toFixed(2)}`
}

export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 100) return `${whole} s`
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)]
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${whole % 60} s`
}

export function number(value: number): string {
  return value.toLocaleString('en-US')
}

/** `1 call`, `2 calls`. */
export function count(amount: number, what: string): string {
  return `${number(amount)} ${what}${amount === 1 ? '' : 's'}`
}

function list(parts: readonly string[]): string {
  return parts.length === 0 ? '' : `: ${parts.join(', ')}`
}
