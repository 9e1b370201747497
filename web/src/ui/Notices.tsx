// What is shown when there are no lots to show.
import type { Problem } from '../live/http';
import { cityPath } from './router';

/** Shapes where the lots will be. */
export const Loading = () => (
  <div class="loading" role="img" aria-label="Loading">
    {Array.from({ length: 6 }, (_, i) => <i key={i} />)}
  </div>
);

export const NoLots = () => (
  <section class="notice">
    <h1>No lots yet</h1>
    <p>Parkwire is running and waits for its first lot. This page fills itself as soon as there is one.</p>
    <h2>See it alive</h2>
    <p>A whole city with thousands of spots, simulated on this machine:</p>
    <pre><code>parkwire demo</code></pre>
    <h2>Add your own</h2>
    <p>With a token that <code>parkwire token --scope operate</code> prints:</p>
    <pre>
      <code>{`curl ${location.origin}/api/v1/lots \\
  -H "Authorization: Bearer $PARKWIRE_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"id":"central","name":"Central Station"}'

curl ${location.origin}/api/v1/lots/central/spots \\
  -H "Authorization: Bearer $PARKWIRE_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '[{"spotId":"c-01"},{"spotId":"c-02","status":"occupied"}]'`}</code>
    </pre>
  </section>
);

export const NotLoaded = ({ problem, retry }: { problem: Problem; retry: () => void }) => (
  <section class="notice">
    <h1>{problem.title}</h1>
    {problem.detail && <p>{problem.detail}</p>}
    <p class="quiet">
      This page goes on trying by itself.
      {problem.status !== undefined && ` Status ${problem.status}.`}
      {problem.requestId && <> Request <code>{problem.requestId}</code>.</>}
    </p>
    <button type="button" onClick={retry}>Try now</button>
  </section>
);

export const Nowhere = ({ lotId }: { lotId?: string }) => (
  <section class="notice">
    <h1>{lotId === undefined ? 'There is nothing here' : 'There is no such lot'}</h1>
    <p>{lotId === undefined ? 'This address belongs to no page of Parkwire.' : <>No lot has the id <code>{lotId}</code>. It may have been removed.</>}</p>
    <p><a href={cityPath()}>See all lots</a></p>
  </section>
);
