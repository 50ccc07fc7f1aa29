/** A source file, a piece of it, and the signatures around that piece. */
export interface SourceFile {
  readonly name: string
  readonly text: string
  readonly piece: string
  readonly inside: readonly string[]
}

/** About the same code in each language, about 200 tokens long. */
export const SOURCES: Readonly<Record<string, SourceFile>> = {
  typescript: {
    name: 'ship.ts',
    text: `import { sea } from './sea.ts'

/** A ship of whalers. */
export class Ship<T extends Crew> extends Vessel {
  /** Puts out to sea. */
  @logged
  sail(days: number): string {
    const course = this.chart.course(days)
    for (const day of course) this.log.push(day.toString())
    return course.join(' then ')
  }

  // Comes home.
  home(): void {
    this.log.push('home again, with oil')
    this.crew.forEach((hand) => hand.pay(100))
  }
}

/** Counts the whales. */
export const count = (whales: readonly Whale[]): number => {
  return whales.filter((whale) => whale.white).length
}
`,
    piece: 'home again',
    inside: ['export class Ship<T extends Crew> extends Vessel'],
  },
  tsx: {
    name: 'ship.tsx',
    text: `import { useState } from 'react'

/** A panel of buttons. */
export function Panel({ names }: { names: string[] }) {
  const [chosen, choose] = useState<string>()
  const buttons = names.map((name) => <button key={name} onClick={() => choose(name)}>{name}</button>)
  const title = chosen ? <h1>{chosen} was chosen</h1> : <h1>Nothing was chosen yet</h1>
  const note = <p className="note">Choose one of the buttons, please.</p>
  return <div>{title}{buttons}{note}</div>
}

/** A page. */
export function Page() {
  return <Panel names={['Ahab', 'Ishmael', 'Queequeg']} />
}
`,
    piece: 'Choose one of',
    inside: ['export function Panel({ names }: { names: string[] })'],
  },
  javascript: {
    name: 'ship.js',
    text: `const { sea } = require('./sea')

/** A ship of whalers. */
class Ship extends Vessel {
  // Puts out to sea.
  sail(days) {
    const course = this.chart.course(days)
    for (const day of course) this.log.push(day.toString())
    return course.join(' then ')
  }

  // Comes home.
  home() {
    this.log.push('home again, with oil')
    this.crew.forEach((hand) => hand.pay(100))
  }
}

// Counts the whales.
function count(whales) {
  return whales.filter((whale) => whale.white).length
}
module.exports = { Ship, count }
`,
    piece: 'home again',
    inside: ['class Ship extends Vessel'],
  },
  python: {
    name: 'ship.py',
    text: `from sea import chart

class Ship(Vessel):
    """A ship of whalers."""

    # Puts out to sea.
    @logged
    def sail(self, days: int) -> str:
        """Gives the course."""
        course = self.chart.course(days)
        for day in course:
            self.log.append(str(day))
        return ' then '.join(course)

    # Comes home.
    def home(self):
        self.log.append('home again, with oil')
        for hand in self.crew:
            hand.pay(100)

# Counts the whales.
def count(whales):
    return len([whale for whale in whales if whale.white])
`,
    piece: 'home again',
    inside: ['class Ship(Vessel)'],
  },
  java: {
    name: 'Ship.java',
    text: `package sea;

import java.util.List;

/** A ship of whalers. */
public class Ship extends Vessel {
  /** Puts out to sea. */
  @Override
  public String sail(int days) {
    List<Day> course = this.chart.course(days);
    for (Day day : course) { this.log.add(day.toString()); }
    return String.join(" then ", course);
  }

  // Comes home.
  public void home() {
    this.log.add("home again, with oil");
    this.crew.forEach(hand -> hand.pay(100));
  }
}
`,
    piece: 'home again',
    inside: ['public class Ship extends Vessel'],
  },
  go: {
    name: 'ship.go',
    text: `package sea

import "strings"

// Sail puts out to sea.
func (s *Ship) Sail(days int) string {
	course := s.chart.Course(days)
	for _, day := range course {
		s.log = append(s.log, day.String())
	}
	s.log = append(s.log, "and the sea rolled on")
	return strings.Join(course, " then ")
}

// Home comes home.
func (s *Ship) Home() {
	s.log = append(s.log, "home again, with oil")
	for _, hand := range s.crew {
		hand.Pay(100)
	}
}
`,
    piece: 'rolled on',
    inside: ['func (s *Ship) Sail(days int) string'],
  },
  rust: {
    name: 'ship.rs',
    text: `use crate::sea::Chart;

/// A ship of whalers.
impl Vessel for Ship {
    /// Puts out to sea.
    #[inline]
    fn sail(&mut self, days: u32) -> String {
        let course = self.chart.course(days);
        for day in &course { self.log.push(day.to_string()); }
        course.join(" then ")
    }

    // Comes home.
    fn home(&mut self) {
        self.log.push("home again, with oil".to_string());
        for hand in &mut self.crew { hand.pay(100); }
    }
}

/// Counts the whales.
fn count(whales: &[Whale]) -> usize {
    whales.iter().filter(|whale| whale.white).count()
}
`,
    piece: 'home again',
    inside: ['impl Vessel for Ship'],
  },
  'c++': {
    name: 'ship.cpp',
    text: `#include <string>

namespace sea {
/** A ship of whalers. */
class Ship : public Vessel {
public:
  // Puts out to sea.
  std::string sail(int days) {
    auto course = chart.course(days);
    for (auto& day : course) { log.push_back(day.str()); }
    return join(course, " then ");
  }

  // Comes home.
  void home() {
    log.push_back("home again, with oil");
    for (auto& hand : crew) { hand.pay(100); }
  }
};
}
`,
    piece: 'home again',
    inside: ['namespace sea', 'class Ship : public Vessel'],
  },
  'c#': {
    name: 'Ship.cs',
    text: `using System.Linq;

namespace Sea
{
    /// <summary>A ship of whalers.</summary>
    public class Ship : Vessel
    {
        /// Puts out to sea.
        [Logged]
        public string Sail(int days)
        {
            var course = chart.Course(days);
            foreach (var day in course) { log.Add(day.ToString()); }
            return string.Join(" then ", course);
        }

        // Comes home.
        public void Home()
        {
            log.Add("home again, with oil");
            crew.ForEach(hand => hand.Pay(100));
        }
    }
}
`,
    piece: 'home again',
    inside: ['namespace Sea', 'public class Ship : Vessel'],
  },
  php: {
    name: 'ship.php',
    text: `<?php
namespace Sea;

/** A ship of whalers. */
class Ship extends Vessel
{
    // Puts out to sea.
    public function sail(int $days): string
    {
        $course = $this->chart->course($days);
        foreach ($course as $day) { $this->log[] = (string) $day; }
        return implode(' then ', $course);
    }

    // Comes home.
    public function home(): void
    {
        $this->log[] = 'home again, with oil';
        foreach ($this->crew as $hand) { $hand->pay(100); }
    }
}
`,
    piece: 'home again',
    inside: ['class Ship extends Vessel'],
  },
  ruby: {
    name: 'ship.rb',
    text: `require 'sea'

# A ship of whalers.
class Ship < Vessel
  # Puts out to sea.
  def sail(days)
    course = @chart.course(days)
    course.each { |day| @log << day.to_s }
    course.join(' then ')
  end

  # Comes home.
  def home
    @log << 'home again, with oil'
    @crew.each { |hand| hand.pay(100) }
  end
end

# Counts the whales.
def count(whales)
  whales.count(&:white)
end
`,
    piece: 'home again',
    inside: ['class Ship < Vessel'],
  },
}
