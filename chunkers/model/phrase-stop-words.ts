const list = `
a about above across after again against all almost alone along already also although always am among an and another any anybody anyone anything are
around as ask at away back be became because become becomes been before began behind being below best better between both but by came can cannot case
certain come could did differ do does done down during each either else end enough etc even ever every everyone everything far few first for from
further gave get gets give given go going gone good got great had has have having he her here hers herself him himself his how however i if in indeed
instead into is it its itself just keep kind knew know known last later least less let like likely made make makes making many may me mean might
more most much must my myself near necessary need never new next no nobody none nor not nothing now of off often old on once one only or other others
otherwise our ours ourselves out over own part per perhaps place please possible put quite rather really said same saw say says second see seem seemed
seems seen several shall she should show since so some somebody someone something sort still such sure take taken tell than that the their theirs
them themselves then there thereby therefore these they thing things think this those though thought three through thus to today together told too
took toward turn two under until up upon us use used uses using usually very want wanted was way we well went were what whatever when where whether
which while who whole whom whose why will with within without would year years yes yet you your yours yourself yourselves ll ve re don didn doesn isn wasn
hadn hasn haven couldn wouldn shouldn aren weren won ain mr mrs ms dr
`

/** English words of which no key phrase is made: function words, and words of such wide use that they name nothing. Lower case. */
export const phraseStopWords: ReadonlySet<string> = new Set(list.split(/\s+/).filter(Boolean))
