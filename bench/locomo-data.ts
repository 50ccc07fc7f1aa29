/** Conversations of LoCoMo (arXiv 2402.17753) with their questions and the turns that answer them. */

export const locomoFile = 'locomo-dev.jsonl.gz'

/** Categories by their numbers, which are not those of the paper's tables. */
export const CATEGORIES: Readonly<Record<number, string>> = {
  1: 'multiHop',
  2: 'temporal',
  3: 'openDomain',
  4: 'singleHop',
  5: 'adversarial',
}

export interface LocomoTurn {
  /** Session and place, such as `D1:3`. */
  readonly id: string
  readonly speaker: string
  /** What was said, with the caption of a picture that was shown. */
  readonly text: string
  /** Date and time of the session, as the data has it. */
  readonly date: string
}

export interface LocomoQuestion {
  readonly id: string
  readonly question: string
  readonly category: number
  /** Ids of turns; none where the data names none. */
  readonly evidence: readonly string[]
}

export interface LocomoConversation {
  readonly id: string
  /** In order. */
  readonly turns: readonly LocomoTurn[]
  readonly questions: readonly LocomoQuestion[]
}

interface Row {
  readonly sample_id: string
  readonly conversation: Readonly<Record<string, unknown>>
  readonly qa: readonly { readonly question: string; readonly category: number; readonly evidence?: readonly string[] }[]
}

interface RowTurn {
  readonly speaker: string
  readonly dia_id: string
  readonly text: string
  readonly blip_caption?: string
}

export function parseLocomo(row: unknown): LocomoConversation {
  const { sample_id: id, conversation, qa } = row as Row
  const turns: LocomoTurn[] = []
  for (let session = 1; ; session++) {
    const said = conversation[`session_${session}`]
    const date = conversation[`session_${session}_date_time`]
    if (said === undefined && date === undefined) break
    for (const turn of (said ?? []) as readonly RowTurn[]) turns.push(turnOf(turn, typeof date === 'string' ? date : ''))
  }
  const known = new Set(turns.map((turn) => turn.id))
  const questions = qa.map(({ question, category, evidence = [] }, at) => ({
    id: `${id}-${at}`,
    question,
    category,
    evidence: evidence.flatMap(evidenceIds).filter((turn) => known.has(turn)),
  }))
  return { id, turns, questions }
}

function turnOf({ speaker, dia_id: id, text, blip_caption: caption }: RowTurn, date: string): LocomoTurn {
  return { id, speaker, text: caption === undefined ? text : `${text} [shows ${caption}]`, date }
}

/** Ids in a string of the data, some of which hold several or have leading zeros. */
function evidenceIds(text: string): string[] {
  return Array.from(text.matchAll(/D\s*:?\s*(\d+)\s*:\s*(\d+)/g), ([, session, turn]) => `D${Number(session)}:${Number(turn)}`)
}
