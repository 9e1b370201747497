// What is shown when there are no lots to show.
import { words } from '../text/words';
import type { Problem } from '../live/http';
import { cityPath } from './router';

/** Shapes where the lots will be. */
export const Loading = () => (
  <div class="loading" role="img" aria-label={words.common.loading}>
    {Array.from({ length: 6 }, (_, i) => <i key={i} />)}
  </div>
);

export const NoLots = () => (
  <section class="notice">
    <h1>{words.shell.noLots}</h1>
    <p>{words.shell.noLotsDetail}</p>
    <h2>{words.shell.seeAlive}</h2>
    <p>{words.shell.seeAliveDetail}</p>
    <pre><code>parkwire demo</code></pre>
    <h2>{words.shell.addOwn}</h2>
    <p>{words.shell.addOwnDetail}</p>
    <pre><code>parkwire token --scope operate</code></pre>
    <pre tabIndex={0}>
      <code>{`curl ${location.origin}/api/v1/lots \\
  -H "Authorization: Bearer $PARKWIRE_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"id":"central","name":"${words.shell.exampleLot}"}'

curl ${location.origin}/api/v1/lots/central/spots \\
  -H "Authorization: Bearer $PARKWIRE_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '[{"spotId":"c-01"},{"spotId":"c-02","status":"occupied"}]'`}</code>
    </pre>
  </section>
);

export function NotLoaded({ problem: told, retry }: { problem: Problem; retry: () => void }) {
  const problem = words.common.problem(told);
  return (
    <section class="notice">
      <h1>{problem.title}</h1>
      {problem.detail && <p>{problem.detail}</p>}
      <p class="quiet">
        {words.shell.goesOn}
        {problem.status !== undefined && ` ${words.shell.statusCode(problem.status)}`}
        {problem.requestId && <> {words.shell.request} <code>{problem.requestId}</code>.</>}
      </p>
      <button type="button" onClick={retry}>{words.common.tryNow}</button>
    </section>
  );
}

/** A chunk of the page did not come. */
export const PartFailed = ({ retry }: { retry: () => void }) => (
  <section class="notice" role="alert">
    <h1>{words.shell.partFailed}</h1>
    <p>{words.shell.partFailedDetail}</p>
    <p>
      <button type="button" onClick={retry}>{words.common.tryNow}</button>{' '}
      <button type="button" onClick={() => location.reload()}>{words.shell.reload}</button>
    </p>
  </section>
);

export const Nowhere = ({ lotId }: { lotId?: string }) => (
  <section class="notice">
    <h1 tabIndex={-1}>{lotId === undefined ? words.shell.nothingHere : words.shell.noLot}</h1>
    <p>{lotId === undefined ? words.shell.nothingHereDetail : words.shell.noLotDetail(lotId)}</p>
    <p><a href={cityPath()}>{words.shell.seeAll}</a></p>
  </section>
);
