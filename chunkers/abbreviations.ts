/** Titles and the like: a name follows, never the end of a sentence. */
const BEFORE_NAME = words(
  'Mr Mrs Ms Mx Dr Prof Rev Fr St Ste Mt Ft Capt Cap Col Gen Lt Sgt Maj Cpl Cmdr Adm Gov Sen Rep Pres Hon Messrs Mme Mlle Mgr Esq Sra Srta Bros Supt',
)

/** A number follows; without one the sentence has ended ("No."). */
const BEFORE_NUMBER = words(
  'No Nos Nr Vol Vols Ch Chap Fig Figs Eq Eqs Sec Sect Art p pp Pt Ver Op Tab Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec',
)

/** Never at the end of a sentence. */
const INSIDE = words('e.g i.e viz cf vs v ca c approx al')

/** Words that start a sentence more often than they follow an abbreviation in one. */
const OPENERS =
  /^["“‘'(]*(?:The|A|An|It|He|She|They|We|You|I|In|On|At|But|And|Or|So|This|That|These|Those|There|Then|His|Her|Its|Their|Our|My|If|When|While|As|For|After|Before|However|What|Who|Why|How|Where)(?![\p{L}\p{N}])/u

function words(list: string): ReadonlySet<string> {
  return new Set(list.split(' '))
}

/**
 * Whether a segment that ends in a full stop ends in an abbreviation, so that its sentence goes on.
 *
 * @param left the end of the segment
 * @param next the beginning of what follows
 */
export function endsInAbbreviation(left: string, next: string): boolean {
  const match = /(?:^|[\s("“‘'[—–-])((?:\p{L}+\.)*\p{L}+)\.$/u.exec(left)
  if (!match) return false
  const word = match[1]!
  if (BEFORE_NAME.has(word)) return /^["“‘'(]?\p{Lu}/u.test(next)
  if (BEFORE_NUMBER.has(word)) return /^[#(]?(?:\p{N}|[IVXLC]+(?![\p{L}]))/u.test(next)
  if (INSIDE.has(word)) return true
  if (!/^(?:\p{Lu}\.)*\p{Lu}$|^[ap]\.m$/u.test(word)) return false
  // Initials. "It was I." ends a sentence; "J. R. R. Tolkien" and "the U.S. Navy" do not.
  if (word === 'I') return /^\p{Lu}\./u.test(next) || /\p{Lu}\.\s+I\.$/u.test(left)
  return /^\p{Lu}/u.test(next) && !OPENERS.test(next)
}
