import { ContextOverflowError } from '../errors/index.ts'

/** @throws ContextOverflowError when `parts`, in tokens, do not fit the window together */
export function checkWindow(action: string, parts: Readonly<Record<string, number>>, window: number): void {
  const needed = Object.values(parts).reduce((total, tokens) => total + tokens, 0)
  if (needed > window) throw new ContextOverflowError(action, parts, window)
}
