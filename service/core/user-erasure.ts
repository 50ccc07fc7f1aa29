import type { ErasureTarget } from '../../memory/index.ts'
import { erasure, type ErasurePreview, type ErasureReceipt } from '../../workflows/index.ts'
import { documentKey, recordId, threadKey } from './resource-ids.ts'
import type { ServiceCore } from './service-core.ts'

/** What a user wants gone: everything, or threads, documents, single turns and facts. */
export type ErasureWish =
  | { readonly everything: true }
  | {
      readonly threads?: readonly string[] | undefined
      readonly documents?: readonly string[] | undefined
      readonly turns?: readonly { readonly thread: string; readonly turn: string }[] | undefined
      readonly facts?: readonly string[] | undefined
    }

/** Forgetting in two steps, with a receipt. */
export interface UserErasure {
  preview(wish: ErasureWish): Promise<ErasurePreview>
  /**
   * Waits until nothing else goes on in the user's memory, then erases what the preview showed from memory and journal, and looks for it in
   * their files.
   *
   * @throws TypeError for what is no token of this user's previews; StoreError `conflict` when what is there is not what the preview showed
   */
  confirm(token: string): Promise<ErasureReceipt>
}

export function openUserErasure({ memory, journal, queue, locks, now }: ServiceCore, scope: string): UserErasure {
  // The whole stores, so that what others keep is known as theirs where their files are looked through.
  const { preview, confirm } = erasure([memory, journal], { scope, now })
  return {
    preview: (wish) => preview(targetOf(scope, wish)),
    confirm: (token) =>
      locks.exclusive(scope, async () => {
        const receipt = await confirm(token)
        await queue.forget(scope, receipt.target.documentIds ?? (receipt.target.ids ? [] : undefined))
        return receipt
      }),
  }
}

function targetOf(scope: string, wish: ErasureWish): ErasureTarget {
  if ('everything' in wish) return { scope }
  const { threads = [], documents = [], turns = [], facts = [] } = wish
  return {
    scope,
    documentIds: [...threads.map(threadKey), ...documents.map(documentKey)],
    ids: [...turns.map(({ thread, turn }) => recordId(threadKey(thread), turn)), ...facts],
  }
}
