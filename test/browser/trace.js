// What a trace of Chromium tells of the main thread of a page.
const categories = [
  'toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline', 'devtools.timeline.frame', 'disabled-by-default-devtools.timeline.frame', 'v8', 'v8.execute',
  'disabled-by-default-v8.gc', 'blink.user_timing', '__metadata',
];

/** Traces a page while something happens. Returns what its main thread did. */
export async function traced(page, happening, more = []) {
  const browser = page.context().browser();
  await browser.startTracing(page, { categories: [...categories, ...more] });
  let trace;
  try {
    await happening();
  } finally {
    trace = await browser.stopTracing();
  }
  return mainThread(JSON.parse(trace.toString()).traceEvents);
}

/** Times in milliseconds. `wall` is how long a task was, `processor` how much of that the thread ran. */
export function mainThread(events) {
  const threads = events.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain').map(({ pid, tid }) => ({
    pid, tid, events: events.filter((each) => each.pid === pid && each.tid === tid && each.ph === 'X').sort((a, b) => a.ts - b.ts || b.dur - a.dur),
  }));
  const busy = (thread) => thread.events.reduce((sum, { name, dur = 0 }) => sum + (isTask(name) ? dur : 0), 0);
  const main = threads.sort((a, b) => busy(b) - busy(a))[0];
  if (!main) throw new Error('the trace has no main thread');
  const tasks = [];
  const parts = new Map(); // what the time was spent with, without what is inside of it
  const open = [];
  const close = (until) => {
    while (open.length > 0 && open.at(-1).end <= until) {
      const { name, self } = open.pop();
      parts.set(name, (parts.get(name) ?? 0) + self / 1000);
    }
  };
  for (const { name, ts, dur = 0, tdur } of main.events) {
    close(ts);
    if (isTask(name) && !open.some((each) => isTask(each.name))) tasks.push({ at: ts, wall: dur / 1000, processor: (tdur ?? dur) / 1000, parts: new Map() });
    if (open.length > 0) open.at(-1).self -= dur;
    open.push({ name, end: ts + dur, self: dur });
    const task = tasks.at(-1);
    if (task && open.length > 1) task.parts.set(name, (task.parts.get(name) ?? 0) + dur / 1000);
  }
  close(Infinity);
  const [first, last] = [main.events[0], main.events.at(-1)];
  return { tasks, parts, seconds: (last.ts - first.ts) / 1e6, timed: main.events.some(({ tdur }) => tdur !== undefined) };
}

const isTask = (name) => name === 'RunTask' || name === 'ThreadControllerImpl::RunTask';

export const longest = ({ tasks }, of = 'wall') => tasks.reduce((most, task) => Math.max(most, task[of]), 0);
export const busy = ({ tasks }, of = 'wall') => tasks.reduce((sum, task) => sum + task[of], 0);

/** The longest tasks, each with what it was spent with, for who looks for the reason. */
export const told = ({ tasks }, count = 5) => [...tasks].sort((a, b) => b.wall - a.wall).slice(0, count).map(({ wall, processor, parts }) => {
  const most = [...parts].sort((a, b) => b[1] - a[1]).slice(0, 8).map(([name, time]) => `${name} ${time.toFixed(0)}`);
  return `${wall.toFixed(0)} ms (${processor.toFixed(0)} of the processor): ${most.join(', ')}`;
}).join('\n');
