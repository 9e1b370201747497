import type { Session } from '../live/session';
import { words } from '../text/words';
import { alertsPath } from '../ui/router';
import { useZones } from '../ui/zones';
import type { Book } from './book';
import { RuleCard } from './RuleCard';

/** The rules of who is signed in. */
export function RulesSection({ session, book }: { session: Session; book: Book }) {
  const { alerts } = words;
  const rules = book.rules.value ?? [];
  useZones(session, [...new Set(rules.flatMap(({ target }) => (target.zoneId !== undefined && target.lotId !== undefined ? [target.lotId] : [])))].sort());
  return (
    <section aria-label={alerts.rules}>
      <header>
        <h2>{alerts.rules}</h2>
        <a class="button primary" href={alertsPath({ rule: 'new' })} data-testid="new-rule">{alerts.newRule}</a>
      </header>
      {rules.length === 0 ? (
        <p class="none">{alerts.noRules}</p>
      ) : (
        <ul class="items">{rules.map((rule) => <RuleCard key={rule.id} session={session} book={book} rule={rule} />)}</ul>
      )}
    </section>
  );
}
