import type { Conversation } from '../../workflows/index.ts'
import { BusyError } from './busy-error.ts'

/** Answers under way: how many there may be, and one conversation a thread, so that messages of one thread are answered one after the other. */
export interface AnswerDesk {
  /**
   * Takes a place for an answer in the conversation of this key, opening it where no answer of it is under way.
   *
   * @throws BusyError when as many are under way as may be
   */
  enter(key: string, open: () => Promise<Conversation>): Promise<AnswerPlace>
}

export interface AnswerPlace {
  readonly conversation: Conversation
  /** To be called once, when the answer is there or has failed. */
  leave(): void
}

/** @param most answers that run or wait for the one before in their thread */
export function createAnswerDesk(most: number): AnswerDesk {
  const open = new Map<string, { readonly conversation: Promise<Conversation>; answers: number }>()
  let answers = 0
  return {
    async enter(key, openConversation) {
      if (answers >= most) throw new BusyError(`Cannot answer as too many answers are under way: ${answers}`, 2)
      const entry = open.get(key) ?? { conversation: openConversation(), answers: 0 }
      open.set(key, entry)
      answers++
      entry.answers++
      const leave = (): void => {
        answers--
        entry.answers--
        if (entry.answers === 0) open.delete(key)
      }
      try {
        return { conversation: await entry.conversation, leave }
      } catch (error) {
        leave()
        throw error
      }
    },
  }
}
