/** What a reply to a plain question says: its first yes or no, undefined where it has neither. */
export function yesOrNo(reply: string): boolean | undefined {
  const word = /\b(yes|no)\b/i.exec(reply)?.[1]
  return word === undefined ? undefined : word.toLowerCase() === 'yes'
}
