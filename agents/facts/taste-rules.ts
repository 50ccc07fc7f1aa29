/** What the user and their people like, speak, play and do without. */
import { type FactDraft, type FactRule, says } from './fact-rule.ts'
import { listItems, phrase, properName } from './fact-phrases.ts'
import { language, pastime } from './fact-words.ts'
import type { Clause } from './read-clauses.ts'

const liking = '(?:like|love|enjoy|adore)'
const disliking = '(?:hate|dislike|detest|loathe|can not (?:stand|bear)|be (?:sick|tired) of)'

export const tasteRules: readonly FactRule[] = [
  {
    pattern: new RegExp(`^${liking} (.+)`, 'i'),
    read: ([, what = ''], clause) => opinions(what, clause, clause.negated ? 'dislikes' : 'likes'),
  },
  { pattern: /^(?:have )?liked (.+)/i, read: ([, what = ''], clause) => (clause.negated ? opinions(what, clause, 'dislikes') : []) },
  {
    pattern: new RegExp(`^${disliking} (.+)`, 'i'),
    read: ([, what = ''], clause) => (clause.negated ? [] : opinions(what, clause, 'dislikes')),
  },
  {
    pattern:
      /^be (?:an? )?(?:(?:big|huge|great|massive|real|lifelong) )?(?:fan of|fond of|keen on|crazy about|mad about|obsessed with|passionate about) (.+)/i,
    read: ([, what = ''], clause) => opinions(what, clause, clause.negated ? 'dislikes' : 'likes'),
  },
  {
    pattern: /^prefer (.+?) (?:over|to|rather than) (.+)/i,
    read: ([, what = '', other = ''], clause) =>
      isTaste(other) && !clause.negated ? opinions(what, clause, `prefers over ${phrase(other) ?? ''}`) : [],
  },
  {
    pattern:
      /^(?:all-time |absolute )?favou?rite ((?!(?:part|thing|bit|one|option|version|answer|way|example|line)\b)[\p{L} ]+?) be (.+)/iu,
    read([, topic = '', value = ''], clause) {
      const short = isTaste(value) ? phrase(value, 5) : undefined
      return says(clause, 'favourite', short, { topic: topic.toLowerCase() })
    },
  },
  {
    pattern: /^(?:(speak)|be (?:fluent|proficient|native) in) (.+)/i,
    read: ([, , list = ''], clause) => languages(list, clause, 'speaks'),
  },
  { pattern: /^be learning (?:to speak )?(.+)/i, read: ([, list = ''], clause) => languages(list, clause, 'learns') },
  {
    pattern: /^play (.+)/i,
    read: ([, list = ''], clause) =>
      listItems(list).flatMap((item) => {
        const name = pastime.exec(item)?.[1]?.toLowerCase()
        return name === undefined ? [] : says(clause, 'plays', name, { topic: name })
      }),
  },
  {
    pattern: /^(eat|drink) (.+)/i,
    read([, verb = '', list = ''], clause) {
      if (!clause.negated) return []
      return listItems(list.replace(/^any /i, '')).flatMap((item) => {
        const what = isTaste(item) ? phrase(item, 2) : undefined
        return says(clause, `${verb.toLowerCase()}s`, what, { topic: what ?? '' })
      })
    },
  },
  { pattern: /^smoke$/i, read: (_, clause) => says(clause, 'habit', 'smoking', { topic: 'smoking' }) },
  {
    pattern:
      /^(?:have )?(?:stopped|quit|given up|gave up) ((?:eating [\p{L} ]+?|drinking [\p{L} ]+?|smoking|drinking|vaping|gambling|biting my nails|running|swimming|driving|playing \p{L}+|sugar|alcohol|coffee|meat|dairy|caffeine|chocolate|cigarettes|gluten|social media))(?: .*)?$/iu,
    read([, what = ''], clause) {
      const habit = phrase(what, 3)
      return clause.negated ? [] : says({ ...clause, negated: true }, 'habit', habit, { topic: habit ?? '' })
    },
  },
]

function opinions(list: string, clause: Clause, value: string): FactDraft[] {
  const said = { ...clause, negated: false }
  return tastes(list).flatMap((topic) => says(said, 'opinion', value, { topic }))
}

/** "tea and coffee" are two; "action and science fiction films" is left whole, as nobody knows what the first word belongs to. */
function tastes(list: string): string[] {
  if (!isTaste(list)) return []
  const items = listItems(list)
  const last = phrase(items.at(-1) ?? '')
  if (last !== undefined && items.length > 1 && [...items.slice(0, -1), last].every((item) => !item.includes(' ')))
    return [...items.slice(0, -1), last].filter(isTaste)
  const whole = phrase(list)
  return whole === undefined ? [] : [whole]
}

const vague =
  /^(?:not|spending|playing for|it|this|that|these|those|them|him|her|us|me|you|your|yours|myself|yourself|his|their|its|how|what|when|where|why|who|which|if|nothing|everything|everyone|everybody|something|anything|being|seeing|knowing|having|getting|both|all|any|each|either|neither|none|one|another|such|every|more|most|less|option|version|sounds?|as|in|on|at|up|by|down|out|still|for|about|much|so|too|here|there|doing|working (?:with|on)|talking to|hearing)\b/i
const toVerb =
  /^to (?!(?:bake|cook|read|write|draw|paint|sing|dance|swim|run|hike|travel|garden|knit|sew|ski|surf|climb|cycle|fish|sail|play)\b)/i
const knownThings =
  /^the (?:sea|beach|mountains?|outdoors|countryside|city|snow|sun|rain|summer|winter|autumn|spring|ocean|cold|heat|gym|opera|theat(?:er|re)|cinema|piano|violin|dark|forest|woods|desert)\b/i

/** Whether a phrase names a thing that one has a lasting opinion of, and not a part of the talk ("your answer", "the second option"). */
function isTaste(what: string): boolean {
  if (vague.test(what) || toVerb.test(what)) return false
  if (/^(?:a|an) (?:lot|bit|few|clean|good|nice|quick|short) ?/i.test(what)) return false
  if (/^the /i.test(what)) return properName(what.slice(4)) !== undefined || knownThings.test(what)
  return !/^(?:my|our) (?!(?:job|work|wife|husband|dog|cat|family|kids?|children|garden|bike|car|house|city|town|parents|country|sister|brother)\b)/i.test(
    what,
  )
}

function languages(list: string, clause: Clause, attribute: string): FactDraft[] {
  const names = partBefore(list).match(language) ?? []
  return names.flatMap((name) => says(clause, attribute, name, { topic: name }))
}

function partBefore(list: string): string {
  return list.split(/ (?:but|at|with|to|than|when|because) /)[0] ?? ''
}
