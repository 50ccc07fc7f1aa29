/** How the agents lay out their prompts, in the order of the paper's tables 11 and 12: what repeats between calls comes first. */
import type { ChatMessage } from '../models/index.ts'

/** Replaces an agent's own words. The text becomes part of the agent's identity, so that recorded steps of another prompt are not reused. */
export interface PromptOverride {
  readonly system?: string
  /** The instruction, for a question or for a summary. What it asks the model to reply must keep to the agent's reply format. */
  readonly instruction?: (question: string | undefined) => string
}

/** Sections of a prompt, in order; empty ones are left out. */
export interface PromptSections {
  readonly system: string
  readonly sections: readonly (string | undefined)[]
}

export function messagesOf({ system, sections }: PromptSections): ChatMessage[] {
  const content = sections.filter((section) => section !== undefined && section !== '').join('\n\n')
  const user: ChatMessage = { role: 'user', content }
  return system === '' ? [user] : [{ role: 'system', content: system }, user]
}

/** A label with its text, or nothing where the text is empty. */
export function labelled(label: string, text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : `${label}\n${text}`
}

export function questionLine(question: string | undefined): string | undefined {
  return question === undefined ? undefined : `Question: ${question}`
}

/** Stands for the question where a prompt's text becomes part of an identity. */
const ANY_QUESTION = '{question}'

/** What an override adds to an agent's identity; undefined without one. */
export function promptIdentity(prompt: PromptOverride | undefined): readonly (string | null)[] | undefined {
  if (prompt?.system === undefined && prompt?.instruction === undefined) return undefined
  return [prompt.system ?? null, prompt.instruction?.(ANY_QUESTION) ?? null, prompt.instruction?.(undefined) ?? null]
}

/** Tokens by which joining parts may exceed their sum: a token at each seam, and the blank lines between sections. */
export const SEAMS = 16
