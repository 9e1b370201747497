import type { LotPageProps } from '../shell/pages';
import { words } from '../text/words';
import { lotPath, manageLotPath, managePath, query } from '../ui/router';
import { useAccount } from '../ui/who';
import { useZones } from '../ui/zones';
import { LotSection } from './LotSection';
import { NotAllowed } from './NotAllowed';
import { SpotsSection } from './SpotsSection';
import { ZonesSection } from './ZonesSection';
import './manage.css';

const tabs = ['spots', 'zones', 'lot'] as const;
export type Tab = (typeof tabs)[number];

/** One lot with its zones and spots, to be changed. */
export default function ManageLotPage({ session, lot }: LotPageProps) {
  const account = useAccount();
  useZones(session, [lot.id], 0);
  if (!account.may('operate', lot.id)) return <NotAllowed title={lot.name} lotId={lot.id} />;
  const tab = tabs.find((each) => each === query.value.get('tab')) ?? 'spots';
  const Section = { spots: SpotsSection, zones: ZonesSection, lot: LotSection }[tab];
  return (
    <article class="manage">
      <header>
        <div>
          <a class="back" href={managePath()}>{words.shell.manage}</a>
          <h1 tabIndex={-1}>{lot.name}</h1>
        </div>
        <div class="tools"><a class="button" href={lotPath(lot.id)}>{words.manage.seeLot}</a></div>
      </header>
      <nav class="manage-tabs" aria-label={words.manage.parts}>
        {tabs.map((each) => (
          <a key={each} href={manageLotPath(lot.id, { tab: each === 'spots' ? undefined : each })} aria-current={each === tab ? 'page' : undefined}>{words.manage.tab[each]}</a>
        ))}
      </nav>
      <Section session={session} lot={lot} />
    </article>
  );
}
